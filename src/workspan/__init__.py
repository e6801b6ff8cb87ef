"""Workspan."""
