"""Strategies: each is one page, a frozen dataclass that turns a problem into an answer."""
