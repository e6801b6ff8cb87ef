"""Search while thinking: one query at a time, or several at once."""
