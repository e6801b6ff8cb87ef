"""Rules that decide, while samples come in, whether more are worth their price."""
