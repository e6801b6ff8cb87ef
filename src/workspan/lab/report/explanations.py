"""Explanations that runs left behind: in a journal, or in the records of ``solve``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workspan.boundary.inputs import read_whole
from workspan.data.entry import Line
from workspan.data.explanation import Explanation
from workspan.errors import DataError
from workspan.store.lines import is_journal, read_lines


@dataclass(frozen=True, slots=True)
class Told:
    """One run that says why."""

    problem: str
    strategy: str
    budget: str
    why: Explanation
    digest: str = ""
    """Of the problem, where it is known: problems may share an id."""


class _Record(msgspec.Struct, frozen=True):
    problem: str
    strategy: str
    budget: str
    why: Explanation | None = None


def read_explanations(path: Path) -> list[Told]:
    """Read every explanation of a file, in order; of a run that was told twice, the last.

    Raises:
        DataError: not readable, neither a journal nor records, or no run in it says why.
    """
    found: dict[tuple[str, str, str, str], Told] = {}
    for told in _told(path):
        found[told.problem, told.digest, told.strategy, told.budget] = told
    if not found:
        said = "no run in it says why: strategies that decide for themselves do, such as auto"
        raise DataError(said, path=str(path))
    return [*found.values()]


def _told(path: Path) -> Iterator[Told]:
    content = read_whole(path)
    for number, told in (_of_lines if is_journal(content) else _of_records)(content, path):
        if told is not None and not _is_sound(told.why):
            said = "names chains or answers that it does not hold"
            raise DataError(said, path=str(path), line=number)
        if told is not None:
            yield told


def _of_lines(_: bytes, path: Path) -> Iterator[tuple[int, Told | None]]:
    for number, line in enumerate(read_lines(path)[1], start=2):
        yield number, _of_journal(line)


def _of_records(content: bytes, path: Path) -> Iterator[tuple[int, Told | None]]:
    lines = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            held = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            if "problem" in held and "error" not in held:  # else a run that failed
                yield number, _of_record(msgspec.json.decode(line, type=_Record))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if number == len(lines) and number > 1:  # what a kill cut short
                return
            said = f"neither a journal nor a record of solve: {error}"
            raise DataError(said, path=str(path), line=number) from error


def _of_record(record: _Record) -> Told | None:
    if record.why is None:
        return None
    return Told(record.problem, record.strategy, record.budget, record.why)


def _is_sound(why: Explanation) -> bool:
    """Check that what is pointed at is there: the file may be anyone's."""
    grown = [one for step in why.steps for one in step.grown]
    groups = [step.leader for step in why.steps] + [one.group for one in grown]
    groups += [one.group for step in why.steps for one in step.tried]
    return all(-1 <= group < len(why.answers) for group in groups) and all(
        0 <= one.chain < why.chains <= 100_000 and one.depth >= 0 for one in grown
    )


def _of_journal(line: Line) -> Told | None:
    run, end = line.run, line.entry.end
    if end is None or end.why is None:
        return None
    return Told(run.problem, run.strategy, end.budget, end.why, run.digest)


def chosen(told: list[Told], wanted: Mapping[str, str]) -> list[Told]:
    """Return those whose fields hold the words asked for; an empty word is any."""
    return [
        one
        for one in told
        if all(word in getattr(one, name) for name, word in wanted.items() if word)
    ]
