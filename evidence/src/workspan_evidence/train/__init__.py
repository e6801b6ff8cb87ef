"""The recipe that makes the reasoner's weights; needs the extra `train` (PyTorch).

``python -m workspan_evidence.train RECIPE`` trains, seeded, on one thread, and keeps its learning
curve. It goes on from its last checkpoint where it was stopped.
"""
