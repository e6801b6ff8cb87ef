"""Choices: the letter is drawn, and written as replies write it."""

# ruff: noqa: ARG001 - every form is asked in the same way

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.answers.forms.base import Form, Written

_FORMS: list[Form] = []
_WORDS = (
    "Paris",
    "a red ball",
    "the third law",
    "Photosynthesis",
    "12 km",
    "none of the above",
    "An acid",
    "I think, therefore I am",
)


def _choice(
    name: str, *, latex: bool = False, prose: bool = True, boxes: bool = True, source: str = ""
) -> Callable[[Callable[[random.Random, str, str], str]], Callable[[random.Random, str, str], str]]:
    def keep(
        write: Callable[[random.Random, str, str], str],
    ) -> Callable[[random.Random, str, str], str]:
        def written(rng: random.Random) -> Written:
            letter = rng.choice("ABCD")
            others = [other for other in "ABCD" if other != letter]
            return Written(
                write(rng, letter, rng.choice(others)), letter, tuple(others), (f"({letter})",)
            )

        _FORMS.append(Form(name, ("choice",), written, latex, prose, boxes, source))
        return write

    return keep


for _name, _write, _latex, _boxes in (
    ("bare", "{x}", False, True),
    ("parens", "({x})", False, True),
    ("half_paren", "{x})", False, True),
    ("full_stop", "{x}.", False, True),
    ("bold", "**{x}**", False, False),
    ("bold_parens", "**({x})**", False, False),
    ("text", "\\text{{{x}}}", True, True),
    ("textbf_parens", "\\textbf{{({x})}}", True, True),
    ("mathrm", "\\mathrm{{{x}}}", True, True),
    ("option", "Option {x}", False, True),
    ("option_small", "option {x}", False, True),
    ("option_parens", "option ({x})", False, True),
    ("choice", "choice {x}", False, False),
    ("quoted", '"{x}"', False, False),
    ("code", "`{x}`", False, False),
    ("brackets", "[{x}]", False, True),
    ("fullwidth", "（{x}）", False, False),
    ("small_parens", "({s})", False, True),
    ("small", "{s}", False, True),
):

    @_choice(f"letter.{_name}", latex=_latex, boxes=_boxes)
    def _(rng: random.Random, letter: str, other: str, write: str = _write) -> str:
        return write.format(x=letter, s=letter.lower())


for _name, _write in (
    ("parens", "({x}) {w}"),
    ("full_stop", "{x}. {w}"),
    ("colon", "{x}: {w}"),
    ("half_paren", "{x}) {w}"),
    ("dash", "{x} - {w}"),
    ("bold", "**{x}. {w}**"),
    ("option", "Option {x}: {w}"),
    ("textbf", "\\textbf{{({x})}}\\ \\text{{{w}}}"),
):

    @_choice(
        f"with_words.{_name}",
        latex=_name == "textbf",
        prose=False,
        boxes=_name not in ("bold",),
        source="BBH, GPQA",
    )
    def _(rng: random.Random, letter: str, other: str, write: str = _write) -> str:
        return write.format(x=letter, w=rng.choice(_WORDS))


for _name, _write in (
    ("because", "{x}, because {o} is wrong"),
    ("since", "{x}, since neither {o} nor the rest holds"),
    ("not_other", "{x}, not {o}"),
    ("rather", "{x} rather than {o}"),
    ("paren_reason", "({x}) ({o} breaks the second rule)"),
):

    @_choice(f"reason.{_name}", prose=False, boxes=False)
    def _(rng: random.Random, letter: str, other: str, write: str = _write) -> str:
        return write.format(x=letter, o=other)


FORMS: tuple[Form, ...] = tuple(_FORMS)
