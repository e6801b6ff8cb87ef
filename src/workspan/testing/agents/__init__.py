"""A scripted agent of many turns before a real gateway, with a simulated model. All simulated.

maze     a task of steps, each with one right call of a tool
model    the model: a server that calls the right tool but for a known part of the time
walker   the agent: a loop of turns over HTTP that does what it is told by tools
"""
