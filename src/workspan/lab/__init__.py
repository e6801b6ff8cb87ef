"""Comparisons of strategies on problems with known answers: plans, runs, statistics, reports."""
