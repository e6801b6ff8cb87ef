"""Cross-fitting: what is learnt for a problem is learnt from others."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from workspan.errors import InputError, nearest
from workspan.recordings.recording import Recording

PROBLEM_FOLDS = 5
"""Parts that problems are dealt into, unless told otherwise."""

_WORDS = ("problem", "task", "model")


class Split(NamedTuple):
    """One fold held out."""

    training: tuple[Recording, ...]
    held: Recording
    """Shares no problem with the training part, by id."""


@dataclass(frozen=True, slots=True)
class Folds:
    """How recordings are divided; `problem`, `task`, `model`, or such a word and a number of parts.

    By problem and by task, a model is trained on its own recording; by model, on those of other
    models, and on other problems there, since a label would otherwise reach its own problem.
    """

    by: str = "problem"
    parts: int = 0
    """0 is as many as there are tasks or models, and `PROBLEM_FOLDS` of the problems."""

    @classmethod
    def parse(cls, text: str) -> Folds:
        """Read ``problem``, ``problem:10``, ``task``, ``model:2``.

        Raises:
            InputError: another word, or a number below 2.
        """
        word, colon, number = text.strip().partition(":")
        if word not in _WORDS:
            raise InputError(f"unknown folds {word!r}: {nearest(word, _WORDS)}")
        if colon and not (number.isascii() and number.isdigit() and int(number) >= 2):
            raise InputError(f"folds {text!r}: the number of parts must be a whole one above 1")
        return cls(word, int(number) if colon else 0)

    def __str__(self) -> str:
        """Write it so that `parse` reads the same back."""
        return f"{self.by}:{self.parts}" if self.parts else self.by

    def split(self, recordings: Sequence[Recording], seed: int = 0) -> list[Split]:
        """Hold each part out in turn; every problem of every recording is held out once.

        Raises:
            InputError: there is only one task, model or problem to divide.
        """
        names = sorted({problem.id for one in recordings for problem in one.problems})
        if self.by == "problem":
            return [*self._by_name({name: name for name in names}, recordings, seed)]
        if self.by == "task":
            tasks = {name: task for one in recordings for name, task in one.tasks.items()}
            return [*self._by_name({n: tasks.get(n, "") for n in names}, recordings, seed)]
        return [*self._by_model(names, recordings, seed)]

    def _by_name(
        self, group_of: dict[str, str], recordings: Sequence[Recording], seed: int
    ) -> Iterator[Split]:
        default = PROBLEM_FOLDS if self.by == "problem" else 0
        for part in _deal(sorted({*group_of.values()}), self.parts or default, seed, self.by):
            inside = {name for name, group in group_of.items() if group in part}
            for one in recordings:
                held, rest = one.keep(inside), one.keep({*group_of} - inside)
                if held.problems:
                    yield Split((rest,) if rest.problems else (), held)

    def _by_model(
        self, names: list[str], recordings: Sequence[Recording], seed: int
    ) -> Iterator[Split]:
        models = sorted({one.model for one in recordings})
        for part in _deal(models, self.parts, seed, "model"):
            for inside in _deal(names, PROBLEM_FOLDS, seed, "problem"):
                others = [one for one in recordings if one.model not in part]
                kept = [one.keep({*names} - {*inside}) for one in others]
                training = tuple(one for one in kept if one.problems)
                for one in recordings:
                    held = one.keep(inside)
                    if one.model in part and held.problems:
                        yield Split(training, held)


def _deal(groups: Sequence[str], parts: int, seed: int, word: str) -> list[list[str]]:
    """Deal groups into parts at random; 0 makes a part of each."""
    if len(groups) < 2:
        raise InputError(f"folds by {word} need at least two of them, and there is {len(groups)}")
    shuffled = [*groups]
    random.Random(f"{seed} {word}").shuffle(shuffled)
    n = min(parts or len(shuffled), len(shuffled))
    return [shuffled[i::n] for i in range(n)]
