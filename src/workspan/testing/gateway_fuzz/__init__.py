"""Thousands of small gateways before faulty servers, each held against the servers' own counts.

``python -m workspan.testing.gateway_fuzz --first 0 --runs 1000`` runs the first thousand; ``--run
123`` repeats one. Each is a gateway with a store, a key or two, some clients at a time, and one or
two servers that misbehave by rows of `workspan.testing.faults`.
"""
