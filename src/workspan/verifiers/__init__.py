"""Verifiers: they judge a candidate without the reference answer, on the same account."""
