"""A tiny transformer, trained here to search: its decoder, its engine, its weights by name.

Problems and chains are sequences of symbols of one small grammar, so that the same problem can be
given as text to any engine.
"""
