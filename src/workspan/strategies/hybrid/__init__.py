"""Breadth and depth at once: trees, beams, populations of particles, rounds of drafts."""
