"""Requests run beside the answer that was given: other settings, on an account of their own.

Nothing here is awaited by an answer, and nothing that goes wrong here is told to a client.
"""
