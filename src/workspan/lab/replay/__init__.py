"""Recorded chains run again under any strategy and budget."""
