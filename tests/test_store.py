from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from workspan.data.entry import Entry, Header, RunId
from workspan.data.types import Sample, Usage
from workspan.errors import JournalError, ReplayMismatch
from workspan.store.journals import JournalFile
from workspan.store.lines import MARK

HEADER = Header("scripted", 7)
DONE = Entry("/0", "sample", "f", Usage(1, 3, 0, 5), Sample("hi", "stop", Usage(1, 3, 0, 5)))


def test_what_is_written_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.jsonl"
    with JournalFile(path, HEADER) as file:
        file.journal(RunId("single", "a")).append(DONE)
        file.journal(RunId("single", "b")).append(Entry("/0", "value", value="tool says\n"))
    with JournalFile(path, HEADER) as file:
        assert file.journal(RunId("single", "a")).entries == [DONE]
        assert file.journal(RunId("single", "b")).entries[0].value == "tool says\n"
        assert file.journal(RunId("single", "c")).entries == []


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    with JournalFile(tmp_path / "j", HEADER):
        assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o600


def test_every_truncation_keeps_all_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with JournalFile(path, HEADER) as file:
        journal = file.journal(RunId("single", "a"))
        for i in range(3):
            journal.append(msgspec.structs.replace(DONE, key=f"/{i}"))
    content = path.read_bytes()
    for size in (0, *range(len(MARK) + 1, len(content) + 1)):
        path.write_bytes(content[:size])
        whole = max(0, content[:size].count(b"\n") - 1)
        with JournalFile(path, HEADER) as file:
            journal = file.journal(RunId("single", "a"))
            assert len(journal.entries) == whole
            journal.append(msgspec.structs.replace(DONE, key="/9"))
        with JournalFile(path, HEADER) as file:
            assert len(file.journal(RunId("single", "a")).entries) == whole + 1


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with JournalFile(path, HEADER) as file:
        file.journal(RunId("single", "a")).append(DONE)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b'{"run": 3}\n' + lines[1])
    with pytest.raises(JournalError, match=r"j:2: not a journal line"):
        JournalFile(path, HEADER)


@pytest.mark.parametrize(
    ("other", "word"), [(Header("other", 7), "engine"), (Header("scripted", 8), "seed")]
)
def test_another_engine_or_seed_is_refused(tmp_path: Path, other: Header, word: str) -> None:
    JournalFile(tmp_path / "j", HEADER).close()
    with pytest.raises(ReplayMismatch, match=f"written with {word}"):
        JournalFile(tmp_path / "j", other)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with (
        JournalFile(tmp_path / "j", HEADER),
        pytest.raises(JournalError, match="another process is writing"),
    ):
        JournalFile(tmp_path / "j", HEADER)


def test_a_full_disk_is_an_error_and_keeps_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "j"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with JournalFile(path, HEADER) as file:
            journal = file.journal(RunId("single", "a"))
            journal.append(DONE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, hard))
            with pytest.raises(JournalError, match=r"full|large"):
                journal.append(msgspec.structs.replace(DONE, key="/1"))
            with pytest.raises(JournalError, match="earlier line"):
                journal.append(msgspec.structs.replace(DONE, key="/2"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    with JournalFile(path, HEADER) as file:
        assert file.journal(RunId("single", "a")).entries == [DONE]


WRITER = """
import sys
from pathlib import Path
from workspan.data.entry import Entry, Header, RunId
from workspan.store.journals import JournalFile
file = JournalFile(Path(sys.argv[1]), Header("scripted", 7))
journal = file.journal(RunId("single", "a"))
for i in range(10**9):
    journal.append(Entry(f"/{i}", "value", value="x" * 1000))
    print(i, flush=True)
"""


def test_kill_9_loses_no_line_that_was_reported(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 200:
            pass
        os.kill(writer.pid, signal.SIGKILL)
        reported = writer.stdout.read().split()
    time.sleep(0)
    with JournalFile(path, HEADER) as file:
        kept = len(file.journal(RunId("single", "a")).entries)
    last = int(reported[-2] if len(reported) > 1 else 200)  # the last line may be cut in the pipe
    assert kept >= last
