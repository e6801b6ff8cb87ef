"""Every recipe by its name."""

from __future__ import annotations

from workspan.errors import InputError
from workspan.reasoner.families.bits import Majority, Parity
from workspan.reasoner.families.serial import Compose, Rule110
from workspan.reasoner.train.recipe import GRAPHS, MINIATURE, Recipe, Share

SERIAL = Recipe(
    "serial",
    (Share(0.5, [Rule110(t) for t in range(1, 9)]), Share(0.5, [Compose(t) for t in range(1, 17)])),
    steps=1200,
    tokens=4000,
    chains=1,
)
"""Rule 110 and permutations with every step written out: one right chain, so one a prompt."""

SERIAL_DIRECT = Recipe(
    "serial-direct",
    (
        Share(0.35, [Rule110(t, format="direct") for t in range(1, 9)]),
        Share(0.35, [Compose(t, format="direct") for t in range(1, 17)]),
        Share(0.15, [Parity(n) for n in range(1, 13)]),
        Share(0.15, [Majority(n) for n in range(1, 17, 2)]),
    ),
    steps=2400,
    tokens=4000,
    chains=1,
    probes=0,
)
"""The control without a chain: the same problems answered at once, and two parallel ones."""

RECIPES = {recipe.name: recipe for recipe in (GRAPHS, MINIATURE, SERIAL, SERIAL_DIRECT)}


def recipe(name: str) -> Recipe:
    """Return a recipe by its name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in RECIPES:
        raise InputError(f"no recipe {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]
