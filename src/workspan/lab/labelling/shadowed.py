"""Answers of shadowed requests, and which of them are to be judged: those that differ, blindly."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workspan.errors import InputError
from workspan.lab.advising.kept import Label, Said, Shadowed
from workspan.lab.advising.truth import is_unlike


@dataclass(frozen=True, slots=True)
class ToJudge:
    """An answer that a person is to judge: nothing says which setting gave it."""

    request: Shadowed
    said: Said

    @property
    def place(self) -> tuple[str, int]:
        """What it is known by."""
        return self.request.id, self.said.number


def to_judge(requests: Sequence[Shadowed], *, every: bool = False) -> list[ToJudge]:
    """Return the answers to be judged, in the order in which they are.

    Requests come by their random ids, so that any first part of them is a fair sample; the answers
    of one in an order that hangs on nothing but its id. Where all settings agree nothing has to be
    judged to compare them: `every` asks for those too.

    Raises:
        InputError: there is none, or none whose text was kept.
    """
    wanted = [one for one in requests if every or is_unlike(one)]
    legible = [one for one in wanted if one.question is not None]
    if not requests:
        raise InputError("no request was run beside yet: serve --shadow does so")
    if not wanted:
        raise InputError("all settings gave the same answers: nothing has to be judged")
    if not legible:
        raise InputError(
            "answers differ, and their texts were not kept: serve --shadow \"…, keeps='texts'\""
        )
    return [ToJudge(one, said) for one in legible for said in _shuffled(one)]


def _shuffled(one: Shadowed) -> list[Said]:
    given = {arm.answer for arm in one.arms}
    found = [said for said in one.answers if said.number in given and said.text is not None]
    random.Random(one.id).shuffle(found)
    return found


def by_labeller(requests: Sequence[Shadowed]) -> Mapping[str, dict[tuple[str, int], Label]]:
    """Return what each person said of which answers."""
    found: dict[str, dict[tuple[str, int], Label]] = {}
    for one in requests:
        for label in one.labels:
            found.setdefault(label.labeller, {})[one.id, label.number] = label
    return found
