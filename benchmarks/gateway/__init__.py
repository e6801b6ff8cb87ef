"""The gateway beside a bare pass-through and other proxies, on one machine, in one run.

``python -m benchmarks.gateway --help``. No figure is worth anything on a machine that does
something else meanwhile.
"""
