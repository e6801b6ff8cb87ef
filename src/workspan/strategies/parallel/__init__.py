"""Breadth: many tries of one problem, and a rule that makes one answer of them."""
