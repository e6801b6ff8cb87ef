"""What clients may ask for: a further dialect is a file here, and one in `protocol`."""
