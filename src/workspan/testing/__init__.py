"""Engines that need no model, and the suites that every engine and strategy must pass."""
