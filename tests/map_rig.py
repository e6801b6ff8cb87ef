"""Rows of the evidence map for tests: measured ones, and ones that mean harm."""

from __future__ import annotations

from dataclasses import replace

from workspan.lab.map.ideas import IDEAS
from workspan.lab.map.rows import Kind, Part, Row, Word

MARKUP = (
    "</script><img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
)
UNSEEN = "\u202ereversed\u0000\u200b\ud800"
HELD = Row(
    name="long_chain",
    idea="sequential",
    claim="One chain that is long enough beats votes over short chains.",
    source="Somebody 2025",
    verdict="held",
    statistic="accuracy of one minus that of the other",
    line=0.0,
    found=0.47,
    low=0.448,
    high=0.49,
    problems=150,
    budget="32 tokens",
    model="reasoner:graphs",
    kind="reasoner",
    command="workspan claims long_chain",
    measured=1_764_417_600.0,
    machine="2 cores, x86_64",
    parts=(Part("one chain", 0.99, 0.98, 1.0), Part("votes", 0.52, 0.5, 0.54)),
)
_HARM = MARKUP + UNSEEN
HOSTILE = Row(
    name=_HARM,
    claim=_HARM,
    source=_HARM,
    statistic=_HARM,
    budget=_HARM,
    model=_HARM,
    command=_HARM,
    machine=_HARM,
    why=_HARM,
    idea="parallel",
    verdict="held",
    found=float("nan"),
    low=float("-inf"),
    high=1e308,
    measured=0.0,
    parts=(Part(MARKUP, 0.1, 0.0, 0.2),),
)


def everywhere(word: Word = "held", kind: Kind = "model") -> list[Row]:
    """Return a row of each idea."""
    return [
        replace(HELD, name=f"test of {idea.id}", idea=idea.id, verdict=word, kind=kind)
        for idea in IDEAS
    ]
