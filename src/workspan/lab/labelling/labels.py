"""The file of labels: a line a judgement, kept as soon as it is made."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

import msgspec

from workspan.answers import equivalent
from workspan.boundary.inputs import read_whole
from workspan.data.types import AnswerKind
from workspan.errors import DataError, InputError, OutputError
from workspan.lab.labelling.answers import Chosen, Count, Voted
from workspan.recordings.journals import ALIKE, AS_PLANNED, plain_name
from workspan.spec import parse_strategy
from workspan.strategies.auto.fit.profile import Case, Profile, Record

FORMAT = 1
_BEGINS = b'{"labels":'

Verdict = Literal["right", "wrong", "unsure"]


class Head(msgspec.Struct, frozen=True):
    """What the labels of a file are of: the same for all of its labellers."""

    labels: int
    """The format."""
    answers: str
    """Hash of the problems and answers that were chosen from."""
    n: int
    seed: int
    kind: AnswerKind = "text"


class Label(msgspec.Struct, frozen=True):
    """One judgement; of two by one labeller the last stands."""

    problem: str
    answer: str
    verdict: Verdict
    labeller: str
    stratum: int
    probability: float
    """With which the answer was chosen."""
    votes: tuple[Voted, ...]
    draws: Count
    """Of the problem; those without an answer are no votes."""
    work: int
    model: str
    strategy: str
    reference: str | None = None
    """The right answer, where the labeller said it."""
    cut: bool = False
    """A limit on more than calls ended the draws."""


def label(chosen: Chosen, verdict: Verdict, labeller: str, reference: str | None = None) -> Label:
    """Make a judgement of an answer."""
    one = chosen.answered
    draws = max(one.calls - one.failures, round(sum(vote.weight for vote in one.votes)))
    return Label(
        one.problem,
        one.answer or "",
        verdict,
        labeller,
        chosen.stratum,
        chosen.probability,
        one.votes,
        draws,
        one.work,
        one.model,
        one.strategy,
        reference,
        one.stop not in AS_PLANNED,
    )


class LabelFile:
    """Labels as they are made, by one sitting at a time; what was made before stays."""

    def __init__(self, path: Path, head: Head) -> None:
        """Open a file of labels, or a new one.

        Raises:
            InputError: it is of other answers, or chosen otherwise; or somebody is labelling.
            DataError: it is no file of labels.
            OutputError: it can't be written.
        """
        self.path = path
        self.labels: list[Label] = []
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OutputError(f"{path} can't be written: {error.strerror}") from error
        try:
            self._go_on(head)
        except OSError as error:
            os.close(self._file)
            raise OutputError(f"{path} can't be written: {error.strerror}") from error
        except BaseException:
            os.close(self._file)
            raise

    def _go_on(self, head: Head) -> None:
        """Read what is there, and begin where it ends."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{self.path}: another process is writing labels there: once it has ended, the "
                "same command goes on from there"
            ) from None
        before = self.path.read_bytes()
        whole = before[: before.rfind(b"\n") + 1]
        if whole:
            known, self.labels = _parsed(whole, self.path)
            if known != head:
                raise InputError(
                    f"{self.path} has labels of other answers, or of another n, seed or kind: name "
                    "another file, or say the same again"
                )
        os.ftruncate(self._file, len(whole))  # a line that a kill cut short
        if not whole:
            self._write(msgspec.json.encode(head))

    def add(self, one: Label) -> None:
        """Keep a judgement: it is on the disk when this returns.

        Raises:
            OutputError: it can't be written.
        """
        try:
            self._write(msgspec.json.encode(one))
        except OSError as error:
            raise OutputError(f"{self.path} can't be written: {error.strerror}") from error
        self.labels.append(one)

    def _write(self, line: bytes) -> None:
        whole = memoryview(line + b"\n")
        while whole:
            whole = whole[os.write(self._file, whole) :]
        os.fsync(self._file)

    def __enter__(self) -> LabelFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        os.close(self._file)


def is_labels(path: Path) -> bool:
    """Tell whether the file begins like one of labels.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return file.read(len(_BEGINS)) == _BEGINS


def read_labels(path: Path) -> tuple[Head, list[Label]]:
    """Read a file of labels.

    Raises:
        DataError: it can't be read, or is none.
    """
    content = read_whole(path)
    return _parsed(content[: content.rfind(b"\n") + 1], path)


def _parsed(content: bytes, path: Path) -> tuple[Head, list[Label]]:
    first, *lines = content.splitlines() or [b""]
    try:
        head = msgspec.json.decode(first, type=Head)
        labels = [msgspec.json.decode(line, type=Label) for line in lines]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"not a file of labels: {error}", path=str(path)) from error
    if head.labels != FORMAT:
        said = f"labels of format {head.labels}, and this version reads {FORMAT}"
        raise DataError(said, path=str(path))
    return head, labels


def latest(labels: Sequence[Label]) -> dict[str, dict[str, Label]]:
    """Return by labeller and problem what stands."""
    found: dict[str, dict[str, Label]] = {}
    for one in labels:
        found.setdefault(one.labeller, {})[one.problem] = one
    return found


class Judged(NamedTuple):
    """What all labellers together say of an answer."""

    label: Label
    is_right: bool
    """All that judged it say so: who is unsure, or says wrong, is believed."""
    reference: str | None


def judged(labels: Sequence[Label]) -> list[Judged]:
    """Put the judgements of each answer together."""
    by_problem: dict[str, list[Label]] = {}
    for own in latest(labels).values():
        for problem, one in own.items():
            by_problem.setdefault(problem, []).append(one)
    return [
        Judged(
            several[0],
            all(one.verdict == "right" for one in several),
            next((one.reference for one in several if one.reference), None),
        )
        for several in by_problem.values()
    ]


def is_plain(strategy: str) -> bool:
    """Say whether a strategy's votes are draws alike, which alone can be certified."""
    return plain_name(strategy) in ALIKE


def profile_of(head: Head, labels: Sequence[Label], path: Path) -> Profile:
    """Return the votes of labelled answers as draws: their order is any, since they are alike.

    An answer that was not judged counts as wrong, unless a labeller said what is right: the risk
    that is found is never below the true one for it.

    Raises:
        InputError: there is none, or they were not drawn alike, or by several models.
    """
    found = judged(labels)
    others = {one.label.strategy for one in found if not is_plain(one.label.strategy)}
    if others:
        raise InputError(
            f"{path}: answers of {min(others)} are no draws alike, whose agreement could be "
            "certified: label answers of self_consistency"
        )
    if not found:
        raise InputError(f"{path} holds no label yet: workspan label goes on from there")
    models = sorted({one.label.model for one in found})
    if len(models) != 1:
        raise InputError(f"{path} has labels of {len(models)} models: certify each by itself")
    drawn = [_drawn_at(one.label.strategy) for one in found]
    if len({*drawn}) > 1:
        raise InputError(
            f"{path} has labels of draws at several settings (temperature, max_tokens): "
            f"{', '.join(map(str, sorted({*drawn})))}; certify each by itself"
        )
    cases = tuple(_case(one, head.kind) for one in found)
    temperature, most = drawn[0]
    return Profile(
        models[0],
        "tokens",
        cases,
        kinds=(head.kind,),
        temperature=temperature,
        max_tokens=most,
    )


def _drawn_at(strategy: str) -> tuple[float, int]:
    """Return the temperature of a plain vote's draws, and the most tokens of each."""
    plan: Any = parse_strategy(strategy)
    return plan.temperature, plan.max_tokens


def _case(one: Judged, kind: AnswerKind) -> Case:
    told = one.label
    groups = [i for i, vote in enumerate(told.votes) for _ in range(round(vote.weight))]
    groups += [-1] * (told.draws - len(groups))
    each = max(1, told.work // max(1, told.draws))
    chains = tuple(Record((each,), (group,), group >= 0) for group in groups)
    said = told.answer if one.is_right else one.reference
    wrong = None if one.is_right else told.answer  # whatever else was said to be right
    right = [
        i
        for i, vote in enumerate(told.votes)
        if said is not None and equivalent(vote.answer, said, kind)
        if wrong is None or not equivalent(vote.answer, wrong, kind)
    ]
    return Case(chains, tuple(right), cut=told.cut)
