"""What the gateway costs, and whether its budgets hold."""
