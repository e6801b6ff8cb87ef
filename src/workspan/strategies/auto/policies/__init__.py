"""What `auto` does next: pure decisions, without I/O."""
