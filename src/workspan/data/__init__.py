"""Plain data: messages, requests, budgets, usage, the lines of a journal."""
