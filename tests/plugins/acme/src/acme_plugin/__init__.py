"""A plug-in that brings one of each kind."""
