"""The evidence map: what the field says, and what was measured of it, as one graph.

Ideas are a table, verdicts are rows of a store; the page is made of both.
"""
