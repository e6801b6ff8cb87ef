"""A command as an engine, such as a coding agent: a call is a rollout in its own work tree."""
