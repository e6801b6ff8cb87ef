"""A damaged journal is named by its line: never another result, never a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import anyio
import msgspec
import pytest

from workspan.batch.compare import compare
from workspan.data.budget import Budget
from workspan.data.entry import FORMAT, Entry, Header, RunId
from workspan.data.types import Problem
from workspan.errors import DataError, InputError, JournalError, ReplayMismatch, WorkspanError
from workspan.lab.report.explanations import read_explanations
from workspan.recordings.journals import read_journal
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.store.lines import MARK, Broken, parse, read_lines
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence
from workspan.testing.scripted import ScriptedEngine

HEADER = Header("scripted", 0)
TASKS = [Task(Problem.ask("2 + 2?", kind="number", id="p"), "4", Equivalence())]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A journal of a vote and of a run that says why."""
    path = tmp_path_factory.mktemp("journal") / "run.jsonl"

    async def main(journals: JournalFile) -> None:
        plans = [parse_strategy("self_consistency(n=3)"), parse_strategy("auto(n=2)")]
        engine = ScriptedEngine(["so Answer: 4", "Answer: 5"])
        await compare(plans, TASKS, engine, budget=Budget(work=90), journals=journals, parallel=1)

    with JournalFile(path, HEADER) as journals:
        anyio.run(main, journals)
    return path.read_bytes()


def held(path: Path) -> list[tuple[RunId, Entry]]:
    """What a resumed run is given, as the file itself reads it back."""
    with JournalFile(path, HEADER) as journals:
        runs = journals.runs
        return [(run, entry) for run in runs for entry in journals.journal(run).entries]


READERS: dict[str, Callable[[Path], object]] = {
    "resume": held,
    "lines": read_lines,
    "replay": lambda path: anyio.run(read_journal, path, TASKS),
    "explain": read_explanations,
}


def is_named(damaged: bytes, path: Path, line: int | None = None) -> None:
    """Every reader says what is wrong, where, and leaves the file as it was."""
    path.write_bytes(damaged)
    for name, read in READERS.items():
        with pytest.raises((JournalError, InputError, ReplayMismatch)) as caught:
            read(path)
        if line is not None and damaged.startswith(MARK):
            assert f"{path}:{line}:" in str(caught.value), name
    assert path.read_bytes() == damaged


def line_of(content: bytes, place: int) -> int:
    return content[:place].count(b"\n") + 1


def flipped(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


def test_a_flipped_bit_is_named_by_its_line(sound: bytes, tmp_path: Path) -> None:
    rng = Random(0)
    for _ in range(250):
        place, bit = rng.randrange(len(sound)), rng.randrange(8)
        is_named(flipped(sound, place, bit), tmp_path / "j", line_of(sound, place))


@pytest.mark.slow
def test_every_flipped_bit_is_named(sound: bytes) -> None:
    for place in range(len(sound)):
        for bit in range(8):
            with pytest.raises(Broken) as caught:
                parse(flipped(sound, place, bit))
            assert caught.value.number == line_of(sound, place)


def test_a_flipped_bit_of_the_last_line_is_named_and_not_cut(sound: bytes, tmp_path: Path) -> None:
    last = sound.rindex(b"\n", 0, -1) + 1
    for place in (*range(last, len(sound), 9), *range(len(sound) - 20, len(sound))):
        is_named(flipped(sound, place, place % 8), tmp_path / "j", line_of(sound, place))


@pytest.mark.slow
def test_every_changed_dropped_or_doubled_byte_is_named(sound: bytes) -> None:
    for place in range(len(sound) - 1):
        for byte in (b"", b"\n", b"\0", b'"', sound[place : place + 1] * 2):
            damaged = sound[:place] + byte + sound[place + 1 :]
            if damaged != sound:
                with pytest.raises(Broken):
                    parse(damaged)


def moved(lines: list[bytes]) -> Iterator[tuple[list[bytes], int]]:
    """Every journal with a line lost, doubled or exchanged, and the first line that is wrong."""
    for i in range(1, len(lines)):
        if i < len(lines) - 1:  # without its last lines a journal is what it was before them
            yield lines[:i] + lines[i + 1 :], i + 1
        yield lines[: i + 1] + lines[i:], i + 2
        for j in range(i + 1, len(lines)):
            other = list(lines)
            other[i], other[j] = lines[j], lines[i]
            yield other, i + 1


def test_lines_that_are_lost_doubled_or_exchanged_are_named(sound: bytes, tmp_path: Path) -> None:
    for lines, line in moved(sound.splitlines(keepends=True)):
        is_named(b"".join(lines), tmp_path / "j", line)


def test_a_line_of_another_journal_is_named(sound: bytes, tmp_path: Path) -> None:
    with JournalFile(tmp_path / "other", HEADER) as journals:
        journals.journal(RunId("single", "a")).append(Entry("/0", "value", value="x"))
    other = (tmp_path / "other").read_bytes().splitlines(keepends=True)[1]
    lines = sound.splitlines(keepends=True)
    is_named(b"".join([*lines, other]), tmp_path / "j", len(lines) + 1)


def test_a_cut_keeps_the_whole_lines_and_nothing_else(sound: bytes, tmp_path: Path) -> None:
    path, whole = tmp_path / "j", parse(sound).lines
    for size in range(sound.index(b"\n") + 1, len(sound) + 1):
        found = parse(sound[:size])
        assert found.lines == whole[: sound[:size].count(b"\n") - 1]
        assert found.end == sound.rindex(b"\n", 0, size) + 1
        if size % 97 == 0:
            path.write_bytes(sound[:size])
            assert read_lines(path)[1] == found.lines
            assert path.read_bytes() == sound[:size]
            assert len(held(path)) == len(found.lines)
            assert path.read_bytes() == sound[: found.end]


NOTES = {
    "a line": b"my notes, one line, no newline at the end",
    "lines": b"line one\nline two, no newline",
    "a problem": b'{"prompt":"2+3?","answer":"5"}\n',
    "half of a header": MARK[:9],
    "other JSON": b'{"journal":"my own","run":1}\n',
    "blank": b"\n",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("content", NOTES.values(), ids=NOTES)
def test_what_is_no_journal_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(InputError, match=r"j:1: not a journal: .* left as it is"):
        JournalFile(tmp_path / "j", HEADER)
    assert (tmp_path / "j").read_bytes() == content


def test_notes_below_a_journal_are_not_cut_off(sound: bytes, tmp_path: Path) -> None:
    for notes in (b"my notes", b'{"mine": 1}', b"\0" * 50, b"my\nnotes\n"):
        is_named(sound + notes, tmp_path / "j", sound.count(b"\n") + 1)


def test_a_header_that_a_full_disk_cut_short_is_begun_again(tmp_path: Path) -> None:
    JournalFile(tmp_path / "j", HEADER).close()
    whole = (tmp_path / "j").read_bytes()
    for size in range(len(MARK) + 1, len(whole), 7):
        (tmp_path / "j").write_bytes(whole[:size])
        JournalFile(tmp_path / "j", HEADER).close()
        assert (tmp_path / "j").read_bytes() == whole


def test_a_journal_of_the_first_format_is_refused_with_a_word(tmp_path: Path) -> None:
    old = b'{"engine":"scripted","seed":0,"format":1}\n{"run":"a","entry":{"key":"/0"}}\n'
    (tmp_path / "j").write_bytes(old)
    said = f"format 1, and this version has {FORMAT}"
    with pytest.raises(ReplayMismatch, match=said):
        JournalFile(tmp_path / "j", HEADER)
    with pytest.raises(DataError, match=said):
        read_lines(tmp_path / "j")
    assert (tmp_path / "j").read_bytes() == old


def test_a_journal_of_a_later_format_is_refused_with_a_word(tmp_path: Path) -> None:
    JournalFile(tmp_path / "j", msgspec.structs.replace(HEADER, format=FORMAT + 1)).close()
    with pytest.raises(ReplayMismatch, match=f"format {FORMAT + 1}"):
        JournalFile(tmp_path / "j", HEADER)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", tmp_path / "link", Path(os.devnull)):
        with pytest.raises(InputError, match="name"):
            JournalFile(place, HEADER)
    with pytest.raises(WorkspanError):
        JournalFile(tmp_path / "pipe" / "j", HEADER)
