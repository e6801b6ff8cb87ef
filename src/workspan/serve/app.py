"""The ASGI application put together: one table of routes, limits before anything is read."""
