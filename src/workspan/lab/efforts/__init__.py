"""Which effort pays: a race of settings on labelled problems, and the ladder that it leaves."""
