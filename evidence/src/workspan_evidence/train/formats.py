"""What is trained on formats: both strategies first, then one format with one strategy."""

from __future__ import annotations

from dataclasses import replace

from workspan_evidence.families.formats import Asked, Exits, Taught
from workspan_evidence.train.recipe import Recipe, Share

DEPTHS = (2, 3, 4)
ASKED: tuple[Asked, ...] = ("choice", "free", "useless")


def _share(asked: Asked, taught: Taught = "both") -> Share:
    return Share(1 / len(ASKED), [Exits(d, asked, taught) for d in DEPTHS])


FORMATS = Recipe(
    "formats",
    tuple(_share(asked) for asked in ASKED),
    steps=1200,
    tokens=2500,
    probes=1,
    muon_rate=0.01,
    hold=0.5,
)
"""Every format with either strategy, 1/2 each; to begin with the weights `graphs`."""


FORMATS_CHOICE = Recipe(
    "formats-choice",
    (_share("choice", "breadth"),),
    steps=80,
    tokens=2500,
    probes=1,
    muon_rate=0.002,
    adam_rate=5e-4,
    warm_up=10,
)
"""Multiple choice, option by option; to begin with `formats`."""

FORMATS_FREE = replace(FORMATS_CHOICE, name="formats-free", shares=(_share("free", "depth"),))
"""Free form, depth first; to begin with `formats`."""
