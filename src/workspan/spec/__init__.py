"""The written form of what has a name: ``then(best_of_n(n=8), self_revision(turns=2))``.

The same text is read by the command line and printed by `write`. A name is one of the registry, or,
where the user wrote it, ``module:Name`` and ``file.py:Name``; values are literals or other written
forms, never code. Parts that are strategies may stand without their parameter's name, in order.
"""

from workspan.spec.reading import STRATEGIES, VERIFIERS, make, parse_strategy, parse_verifier
from workspan.spec.text import split_list
from workspan.spec.writing import write

__all__ = [
    "STRATEGIES",
    "VERIFIERS",
    "make",
    "parse_strategy",
    "parse_verifier",
    "split_list",
    "write",
]
