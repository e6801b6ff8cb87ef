"""Every recipe by its name."""

from __future__ import annotations

from workspan.errors import InputError
from workspan_evidence.families.bits import Majority, Parity
from workspan_evidence.families.lookups import Lookup
from workspan_evidence.families.planning import Timetable
from workspan_evidence.families.serial import Compose, Rule110
from workspan_evidence.train.at_once import GRAPHS_THREE, GRAPHS_TWO
from workspan_evidence.train.formats import FORMATS, FORMATS_CHOICE, FORMATS_FREE
from workspan_evidence.train.recipe import GRAPHS, MINIATURE, Recipe, Share

SERIAL = Recipe(
    "serial",
    (Share(0.5, [Rule110(t) for t in range(1, 9)]), Share(0.5, [Compose(t) for t in range(1, 17)])),
    steps=1100,
    tokens=4000,
    chains=1,
)
"""Rule 110 and permutations with every step written out: one right chain, so one a prompt."""

SERIAL_DIRECT = Recipe(
    "serial-direct",
    (
        Share(0.15, [Rule110(1, format="direct")]),
        Share(0.15, [Compose(1, format="direct")]),
        Share(0.10, [Majority(n) for n in range(1, 17, 2)]),
        Share(0.20, [Rule110(2, format="direct")], begins=0.12),
        Share(0.20, [Compose(2, format="direct")], begins=0.12),
        Share(0.05, [Parity(n) for n in range(1, 13)], begins=0.12),
        Share(0.25, [Rule110(t, format="direct") for t in range(3, 9)], begins=0.5),
        Share(0.25, [Compose(t, format="direct") for t in range(3, 17)], begins=0.5),
    ),
    steps=1000,
    tokens=1250,
    batches=4,
    chains=1,
    probes=0,
    muon_rate=0.01,
)
"""The control without a chain: the same problems answered at once, and two parallel ones.

Problems that it cannot solve are noise to it: with all T from the start, or one family a step, not
even one step of either was learnt to keep; at twice the rate and with T = 2 among many, not two.
"""

LOOKUPS = Recipe(
    "lookups",
    (
        Share(0.3, [Lookup(h, 1, k) for h in range(1, 5) for k in (1, 2, 3)]),
        Share(0.3, [Lookup(h, f, 1) for f in (2, 3, 4) for h in (1, 2, 3)]),
        Share(0.4, [Lookup(h, f, k) for h in (1, 2, 3) for f in (2, 3, 4) for k in (2, 3)]),
    ),
    steps=1200,
    tokens=2000,
    batches=2,
    chains=1,
)
"""Questions whose facts an environment gives, one key or several at once."""

_TABLES = ((3, 2), (4, 4), (5, 6), (6, 9), (7, 12), (8, 14), (9, 18), (10, 22))

PLANNING = Recipe(
    "planning",
    (
        Share(0.35, [Timetable(n, clashes) for n, clashes in _TABLES]),
        Share(0.30, [Timetable(n, clashes, role="revise") for n, clashes in _TABLES], 0.05),
        Share(0.35, [Timetable(n, clashes, role="recombine") for n, clashes in _TABLES], 0.1),
    ),
    steps=1800,
    opening=(Timetable(3, 2), Timetable(5, 6), Timetable(7, 12)),
    opened=0.1,
    tokens=2500,
    muon_rate=0.01,
    hold=0.5,
)
"""Timetables: a first plan, a mended one, a child of two. Begins with the weights `graphs`.

From random weights it does not come: a row of a prompt is not found again where tables have more
than four items, in 2,300 steps; the walker of graphs has learnt that.
"""

_ALL = (
    *(GRAPHS, GRAPHS_TWO, GRAPHS_THREE, MINIATURE),
    *(SERIAL, SERIAL_DIRECT, LOOKUPS, PLANNING),
    *(FORMATS, FORMATS_CHOICE, FORMATS_FREE),
)
RECIPES = {recipe.name: recipe for recipe in _ALL}


def recipe(name: str) -> Recipe:
    """Return a recipe by its name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in RECIPES:
        raise InputError(f"no recipe {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]
