"""Numbers that stand for answers: equal ones share theirs."""

from __future__ import annotations

from collections.abc import Callable

from workspan.data.types import AnswerKind


class Groups:
    """The answers of one problem, numbered as they come; -1 is none."""

    def __init__(self, kind: AnswerKind, same: Callable[[str, str, AnswerKind], bool]) -> None:
        self.kind, self._same = kind, same
        self.answers: list[str] = []
        """The first of each group."""
        self._known: dict[str, int] = {}

    def number(self, answer: str | None) -> int:
        """Return an answer's group; a new one if it equals none before."""
        if answer is None:
            return -1
        if answer not in self._known:
            same = (i for i, one in enumerate(self.answers) if self._same(answer, one, self.kind))
            self._known[answer] = next(same, len(self.answers))
            if self._known[answer] == len(self.answers):
                self.answers.append(answer)
        return self._known[answer]
