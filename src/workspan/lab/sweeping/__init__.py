"""Sweeps: engines × tasks × strategies × budgets × efforts × seeds, cell by cell."""
