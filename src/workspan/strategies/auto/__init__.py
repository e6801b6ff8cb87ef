"""`auto`: the system decides how a budget is split."""
