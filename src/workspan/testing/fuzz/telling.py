"""What fuzzed runs broke, as their command lines tell it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from workspan.testing.fuzz.judge import Problem


class Broken(Protocol):
    """A broken promise."""

    @property
    def problem(self) -> Problem:
        """Which."""
        ...


B = TypeVar("B", bound=Broken)

_MOST_NAMED = 16


def told(failures: Sequence[B], shown: int, faults: Callable[[B], Iterable[str]]) -> Iterator[str]:
    """Yield the lines of each kind, the most frequent first, with so many runs of it.

    `faults` names those of the servers that a run had.
    """
    groups: dict[str, list[B]] = defaultdict(list)
    for failure in failures:
        groups[failure.problem.code].append(failure)
    for code, group in sorted(groups.items(), key=lambda item: -len(item[1])):
        counts = Counter("+".join(faults(one)) or "honest" for one in group)
        named = ", ".join(f"{name} {count}" for name, count in counts.most_common(_MOST_NAMED))
        yield f"\n{len(group)} x {code}: {named}\n"
        yield from (f"  {failure}\n" for failure in group[:shown])
