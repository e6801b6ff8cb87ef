"""Answers with a stated risk: what recorded votes can certify, and how many labels that takes."""
