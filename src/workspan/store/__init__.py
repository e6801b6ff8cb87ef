"""What stands on disk: journals, and the database of keys, accounts and sweeps."""
