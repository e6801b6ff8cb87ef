"""Strategies made of strategies: one after another, one in place of another, side by side."""
