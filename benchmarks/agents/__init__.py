"""Width by trajectory, beside one sample and a vote at every turn: a simulated model, real HTTP."""
