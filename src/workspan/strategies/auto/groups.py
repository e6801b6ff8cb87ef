"""Numbers that stand for answers: equal ones share theirs."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from workspan.data.types import AnswerKind


class Groups:
    """The answers of one problem, numbered as they come; -1 is none."""

    def __init__(
        self,
        kind: AnswerKind,
        same: Callable[[str, str, AnswerKind], bool] | None = None,
        key: Callable[[str, AnswerKind], Hashable] | None = None,
    ) -> None:
        """Compare by `same`, pair by pair, or by a `key` of each, which no clock may cut."""
        self.kind, self._same, self._key = kind, same, key
        self.answers: list[str] = []
        """The first of each group."""
        self._known: dict[str, int] = {}
        self._keys: dict[Hashable, int] = {}

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
        if self._key is not None:
            return self._keys.setdefault(self._key(answer, self.kind), len(self.answers))
        assert self._same is not None
        same = (i for i, one in enumerate(self.answers) if self._same(answer, one, self.kind))
        return next(same, len(self.answers))
