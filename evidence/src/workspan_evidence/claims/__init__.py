"""The claims that rest on the reasoner, or on a program's exact policies."""
