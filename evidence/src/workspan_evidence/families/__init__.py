"""Families of problems, each with dials between parallel and serial, chains and exact curves."""
