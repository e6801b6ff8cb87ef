"""Thousands of small runs against faulty servers, each held against the server's own count.

``python -m workspan.testing.fuzz --runs 1000`` runs the first thousand; ``--run 123`` repeats one.
"""
