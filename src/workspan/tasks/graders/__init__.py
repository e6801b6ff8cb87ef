"""Judges that know the reference answer: used by the lab, never by a strategy."""
