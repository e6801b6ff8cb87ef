"""Runs of agents: the turns of one run are one trajectory, with a budget of its own.

named        what a request says of its trajectory, read and bounded
book         what this process knows of trajectories, and the accounts of those that no store keeps
course       where a trajectory stands as a turn begins: what it may spend, where drafts disagreed
telling      what is left, told to the agent
prefix       trajectories that nobody named, found by what a request goes on from
"""
