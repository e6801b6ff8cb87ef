"""How a budget is split between breadth and depth: pure decisions, without I/O."""
