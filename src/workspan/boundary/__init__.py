"""What comes in and goes out: files, addresses, commands, keys."""
