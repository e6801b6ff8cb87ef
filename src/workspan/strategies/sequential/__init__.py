"""Depth: one line of thought, carried further or gone over again."""
