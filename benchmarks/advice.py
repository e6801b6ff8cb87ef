"""Advice on simulated traffic whose best settings are known: how often it is right, and by when.

Every route here is simulated (`workspan.lab.advising.simulated`), and so are its labels: where
two settings gave another answer, each answer is said to be right or wrong, and that is true.
*right*: a change to what is more accurate, or cheaper and not less accurate by the margin; a route
that is kept where nothing is better by the margin, or as good and cheaper. The same seeds give the
same figures.

Run with ``python -m benchmarks.advice``; ``--smoke`` for a few routes, ``--page FILE`` for the
page.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from workspan.lab.advising.advice import MARGIN, Advice, advise
from workspan.lab.advising.simulated import NOW, ROUTES, VOTES, Route, best, is_right, traffic
from workspan.lab.stats import wilson

SIZES = (100, 200, 400, 800, 1600)
TARGET = 0.95
"""Of routes: right or undecided."""
LOOK, MOST = 100, 3000
"""Requests between two looks, and at the last of them."""


class Told(NamedTuple):
    """What was advised on one route."""

    advice: Advice
    route: Route

    @property
    def word(self) -> str:
        """Right, wrong or undecided."""
        right = is_right(self.advice, self.route)
        return "undecided" if right is None else "right" if right else "wrong"

    @property
    def is_best(self) -> bool:
        """It names the setting that is known to be best."""
        return self.advice.verdict != "undecided" and self.advice.recommend == best(
            self.route, MARGIN
        )


def drawn_routes(count: int) -> list[Route]:
    """Draw routes of every kind: prompts easy, hard or mixed, wrong answers alike or scattered."""
    rng = random.Random(23)
    return [
        Route(
            f"drawn {place}",
            10 ** rng.uniform(-1, 1.2),
            10 ** rng.uniform(-1, 1.2),
            rng.uniform(0, 1),
            rng.choice([NOW, *VOTES]),
        )
        for place in range(count)
    ]


def told(route: Route, requests: int, seed: int, *, labels: bool = True) -> Told:
    """Advise on simulated requests of one route."""
    [advice] = advise(traffic(route, requests, seed, labels=labels))
    return Told(advice, route)


def _shares(found: Sequence[Told]) -> str:
    """Write a row: how many are right, wrong, undecided; and the interval of what is not wrong."""
    counts, n = Counter(one.word for one in found), len(found)
    fine = [float(one.word != "wrong") for one in found]
    low, high = wilson(fine)
    named = sum(one.is_best for one in found) / n
    return (
        f"{counts['right'] / n:.3f} | {counts['undecided'] / n:.3f} | {counts['wrong'] / n:.3f} | "
        f"{sum(fine) / n:.3f} [{low:.3f}, {high:.3f}] | {named:.3f}"
    )


_HEAD = (
    "| | right | undecided | wrong | right or undecided, 95 % | names the very best |\n"
    "|---|---|---|---|---|---|"
)


def _by_size(routes: int) -> Iterator[str]:
    several = drawn_routes(routes)
    yield (
        f"## By labelled requests\n\n{routes} drawn routes, each once at each size. Target: right "
        f"or undecided on {TARGET} of them.\n\n{_HEAD}"
    )
    missed = []
    for size in SIZES:
        found = [told(route, size, place) for place, route in enumerate(several)]
        yield f"| {size} requests | {_shares(found)} |"
        fine = sum(one.word != "wrong" for one in found) / len(found)
        if fine < TARGET:
            missed.append(f"Missed at {size}: {TARGET - fine:.3f} below the target.")
    yield "\n" + ("\n".join(missed) or "The target is met at every size.")


def _by_route(seeds: int) -> Iterator[str]:
    yield (
        f"\n## By route, {SIZES[2]} labelled requests\n\nRoutes that were chosen beforehand, "
        f"{seeds} seeds each.\n\n{_HEAD}"
    )
    for route in ROUTES:
        found = [told(route, SIZES[2], seed) for seed in range(seeds)]
        yield f"| {route.name} | {_shares(found)} |"


def _by_agreement(routes: int) -> Iterator[str]:
    yield (
        "\n## By agreement alone\n\nThe same drawn routes without a label: answers are compared "
        "with one another, and nothing says which is right. That decides only where settings "
        f"nearly always agree.\n\n{_HEAD}"
    )
    for size in (SIZES[2], SIZES[-1]):
        found = [
            told(route, size, place, labels=False)
            for place, route in enumerate(drawn_routes(routes))
        ]
        yield f"| {size} requests | {_shares(found)} |"
    same = ROUTES[-1]
    found = [told(same, SIZES[-1], seed, labels=False) for seed in range(len(found))]
    yield f"| {SIZES[-1]} requests, *{same.name}* | {_shares(found)} |"


def _looking(routes: int) -> Iterator[str]:
    """Look again and again, and stop at the first decision."""
    found, needed = [], []
    for place, route in enumerate(drawn_routes(routes)):
        every = traffic(route, MOST, place, labels=True)
        last, size = None, LOOK
        for size in range(LOOK, MOST + 1, LOOK):
            [last] = advise(every[:size])
            if last.verdict != "undecided":
                break
        assert last is not None
        found.append(Told(last, route))
        if last.verdict != "undecided":
            needed.append(size)
    low, middle, high = (sorted(needed)[int(part * (len(needed) - 1))] for part in (0.1, 0.5, 0.9))
    yield (
        f"\n## Looked at after every {LOOK} requests, until it says something\n\n{routes} drawn "
        f"routes, {MOST} requests at most. An interval of 95 % is one of a single look: whoever "
        f"looks often is wrong more often.\n\n{_HEAD}\n"
        f"| the first decision | {_shares(found)} |\n\n"
        f"Requests until then: {middle} at the median, {low} to {high} in the middle four fifths "
        f"of the {len(needed)} routes that were decided."
    )


def _needed(routes: int) -> Iterator[str]:
    """Hold "so many more requests" against what they bring."""
    size, decided, asked = SIZES[1], 0, []
    for place, route in enumerate(drawn_routes(routes)):
        more = told(route, size, place).advice.more
        if more is not None and size + more <= 2 * MOST:
            asked.append(more)
            decided += told(route, size + more, place + 100_000).advice.verdict != "undecided"
    low, high = wilson([1.0] * decided + [0.0] * (len(asked) - decided))
    yield (
        f"\n## How many more requests\n\nOf {routes} drawn routes at {size} requests, {len(asked)} "
        f"were undecided and told that up to {2 * MOST - size} more would decide: "
        f"{median(asked):.0f} at the median. With as many more, other requests of the same route "
        f"decided {decided} of them, {decided / len(asked):.2f} [{low:.2f}, {high:.2f}]; meant "
        "are 0.80."
    )


def page(routes: int, seeds: int, looked: int) -> str:
    """Measure all of it and write the page."""
    parts = [
        "# Advice from one's own traffic: results\n",
        "Generated by `python -m benchmarks.advice --page FILE`; not edited by hand.\n",
        "All traffic is **simulated**, with accuracies that are known: see "
        "`workspan.lab.advising.simulated`. Settings: "
        + ", ".join(f"`{name}`" for name in VOTES)
        + f". Margin {MARGIN}. *right*: a change to what is more accurate, or cheaper and not less "
        "accurate by the margin; kept where nothing is better by the margin, or as good and "
        "cheaper.\n",
        *_by_size(routes),
        *_by_route(seeds),
        *_by_agreement(routes),
        *_looking(looked),
        *_needed(routes),
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    """Measure, and print or write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="a few routes of each part")
    parser.add_argument("--page", type=Path, help="write the page here")
    options = parser.parse_args()
    text = page(20, 5, 10) if options.smoke else page(200, 60, 80)
    if options.page:
        options.page.write_text(text)
    else:
        print(text)  # its output


if __name__ == "__main__":
    main()
