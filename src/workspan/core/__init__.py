"""The account and the run's only door to the world: sessions, calls, races, votes."""
