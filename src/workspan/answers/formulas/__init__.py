"""Formulas: read by one grammar, computed, and known by their values.

`tokens` cuts a text into words, `grammar` reads LaTeX and plain notation into a tree, `computed`
gives a tree its value, and `keys` says what two ways to write the same thing share.
"""
