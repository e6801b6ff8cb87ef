"""Engines: each is one model behind one door."""
