"""Journals on disk: one private file of checked lines for any number of runs."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from functools import partial
from pathlib import Path
from types import TracebackType

import msgspec

from workspan.core.journal import Journal
from workspan.data.entry import Entry, Header, Line, RunId
from workspan.data.types import Sample
from workspan.errors import InputError, JournalError, JournalInUse, ReplayMismatch
from workspan.legible import quoted
from workspan.store.lines import MARK, Broken, Content, is_journal, parse, sealed

_LONGEST_HEADER = 64 * 1024


def is_journal_file(path: Path) -> bool:
    """Tell whether a file is a journal, by its first line.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return is_journal(file.readline(_LONGEST_HEADER))


def held_by_now(path: Path, header: Header) -> dict[RunId, list[Entry]]:
    """Return what a journal holds by now, by its run, whoever is writing it; it is left as it is.

    Raises:
        InputError: what is there is no journal.
        JournalError: not readable or damaged.
        ReplayMismatch: another engine, seed or format wrote it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from error
    if _first_line(header).startswith(content):
        return {}  # its writer has just begun
    found = _parsed(path, content)
    _compare(path, found.header, header)
    return _by_run(found)


def _first_line(header: Header) -> bytes:
    return sealed(msgspec.json.encode(header), 0)[0]


def _parsed(path: Path, content: bytes) -> Content:
    if not is_journal(content):
        raise InputError(
            f"{path}:1: not a journal: the file holds something else, and was left as it is: name "
            "another for the journal"
        )
    try:
        return parse(content)
    except Broken as broken:
        kind = ReplayMismatch if broken.is_other else JournalError
        raise kind(f"{path}:{broken.number}: {broken}") from broken.__cause__


def _compare(path: Path, found: Header, header: Header) -> None:
    for name in Header.__struct_fields__:
        was, now = getattr(found, name), getattr(header, name)
        if was != now:
            raise ReplayMismatch(
                f"{path} was written with {name} {was!r}, this run has {now!r}: use the same, or "
                "another journal"
            )


def _by_run(found: Content) -> dict[RunId, list[Entry]]:
    by_run: dict[RunId, list[Entry]] = {}
    for line in found.lines:
        by_run.setdefault(line.run, []).append(line.entry)
    return by_run


class JournalFile:
    """Open, or make, a file of journals; a line is on disk before the run goes on.

    A last line that a kill or a full disk left unfinished is cut off; any other line that is not
    what was written is an error, and so is a file that is no journal: it is left as it was. The
    file is readable by its owner only, since it holds prompts and completions.
    """

    def __init__(self, path: Path, header: Header) -> None:
        """Read what is there and lock the file against a second writer.

        Raises:
            InputError: what is there is no journal; nothing of it was changed.
            JournalError: not readable or damaged.
            JournalInUse: open in another process.
            ReplayMismatch: another engine, seed or format wrote it.
        """
        self.path = path
        self.header = header
        self._opened: set[RunId] = set()
        self._failed = False
        self._check = 0
        self._encoder = msgspec.json.Encoder()
        self._entries: dict[RunId, list[Entry]] = {}
        self._file = self._open()
        try:
            self._lock()
            self._load(header)
        except BaseException:
            os.close(self._file)
            raise

    @property
    def runs(self) -> tuple[RunId, ...]:
        """The runs that the file held and that were not opened yet, in their order."""
        return tuple(self._entries)

    def finished(self) -> dict[str, Sample]:
        """Return the samples that came to their own end, by what asked for them.

        Those of all runs that the file held and that were not opened yet, under whatever budget.
        """
        return {
            entry.fingerprint: entry.sample
            for entries in self._entries.values()
            for entry in entries
            if entry.outcome == "sample" and entry.sample is not None
            if entry.sample.finish == "stop"
        }

    def journal(self, run: RunId) -> Journal:
        """Return the journal of one run of this file; a run is opened once.

        Raises:
            InputError: `run` is no `RunId`, or was opened before.
        """
        if not isinstance(run, RunId):
            raise InputError("a journal is of a run: give a RunId(strategy=…, problem=…)")
        opened = len(self._opened)
        self._opened.add(run)
        if len(self._opened) == opened:
            raise InputError(
                f"the run of {quoted(run.strategy)} on {quoted(run.problem)} was opened already in "
                f"{self.path}: open the file anew to go on with it"
            )
        entries = self._entries.pop(run, ()) if self._entries else ()
        return Journal(entries, partial(self._write_entry, run))

    def close(self) -> None:
        """Force what was written to the disk and give the file back.

        Raises:
            JournalError: the disk did not take it all.
        """
        try:
            os.fsync(self._file)
        except OSError as error:
            if error.errno != errno.EINVAL:  # a place that can't be told to: nothing to wait for
                raise JournalError(f"{self.path}: {error.strerror}") from error
        finally:
            os.close(self._file)

    def __enter__(self) -> JournalFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> int:
        # without O_NONBLOCK a pipe would hold us up before we can see that it is one
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self.path, flags, 0o600)
        except IsADirectoryError:
            raise InputError(f"the journal {self.path} is a folder: name a file") from None
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise InputError(f"the journal {self.path} is no ordinary file: name one, or a new one")
        return file

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JournalInUse(
                f"{self.path}: another process is writing this journal: once it has ended, the "
                "same command goes on from there"
            ) from error
        except OSError as error:
            raise JournalError(f"{self.path}: can't be locked: {error.strerror}") from error

    def _load(self, header: Header) -> None:
        try:
            with open(self._file, "rb", closefd=False) as lines:
                content = lines.read()
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error
        first = _first_line(header)
        if len(MARK) < len(content) < len(first) and first.startswith(content):
            os.ftruncate(self._file, 0)  # all that a full disk took of this very line
            content = b""
        if not content:
            self._begin(header)
            return
        found = _parsed(self.path, content)
        _compare(self.path, found.header, header)
        self._entries = _by_run(found)
        self._check = found.check
        if found.end < len(content):  # the line that a kill or a full disk cut short
            os.ftruncate(self._file, found.end)

    def _begin(self, header: Header) -> None:
        try:
            self._write(header)
        except JournalError:
            os.ftruncate(self._file, 0)  # part of a header would pass for something of the user's
            raise

    def belongs_to(self, header: Header) -> None:
        """Check that a run may be kept here.

        Raises:
            ReplayMismatch: the file is of another engine, model or seed.
        """
        _compare(self.path, self.header, header)

    def _write_entry(self, run: RunId, entry: Entry) -> None:
        self._write(Line(run, entry))

    def _write(self, record: msgspec.Struct) -> None:
        if self._failed:
            raise JournalError(f"{self.path}: an earlier line could not be written")
        line, self._check = sealed(self._encoder.encode(record), self._check)
        try:
            written = os.write(self._file, line)
        except OSError as error:
            self._failed = True
            raise JournalError(f"{self.path}: {error.strerror}") from error
        if written < len(line):  # a disk that fills up takes part of a line
            self._failed = True
            raise JournalError(f"{self.path}: the disk is full")
