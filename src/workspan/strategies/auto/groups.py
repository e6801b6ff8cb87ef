"""Numbers that stand for answers: equal ones share theirs."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from workspan.answers import canonical
from workspan.data.types import AnswerKind


class Groups:
    """The answers of one problem, numbered as they come; -1 is none."""

    def __init__(
        self, kind: AnswerKind, same: Callable[[str, str, AnswerKind], bool] | None = None
    ) -> None:
        self.kind, self._same = kind, same
        self.answers: list[str] = []
        """The first of each group."""
        self._known: dict[str, int] = {}
        self._keys: dict[Hashable, int] = {}

    @classmethod
    def by_key(cls, kind: AnswerKind) -> Groups:
        """Tell answers apart by what they say, however long that takes: a key for each of them."""
        return cls(kind)

    def number(self, answer: str | None) -> int:
        """Return an answer's group; a new one if it equals none before."""
        if answer is None:
            return -1
        if answer not in self._known:
            self._known[answer] = found = self._find(answer)
            if found == len(self.answers):
                self.answers.append(answer)
        return self._known[answer]

    def _find(self, answer: str) -> int:
        if self._same is None:
            return self._keys.setdefault(canonical(answer, self.kind), len(self.answers))
        same = (i for i, one in enumerate(self.answers) if self._same(answer, one, self.kind))
        return next(same, len(self.answers))
