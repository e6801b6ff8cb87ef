"""Journals on disk: one private JSON-lines file for any number of runs."""

from __future__ import annotations

import fcntl
import os
from functools import partial
from pathlib import Path
from types import TracebackType

import msgspec

from workspan.errors import JournalError, ReplayMismatch
from workspan.journal import Entry, Journal


class Header(msgspec.Struct, frozen=True):
    """First line of the file: what every run in it shares."""

    engine: str
    """Name and model of the engine."""
    seed: int
    format: int = 1


class _Line(msgspec.Struct, frozen=True):
    run: str
    entry: Entry


class JournalFile:
    """Open, or make, a file of journals; a line is on disk before the run goes on.

    A last line that a kill or a full disk left unfinished is cut off; a broken line before it is an
    error. The file is readable by its owner only, since it holds prompts and completions.
    """

    def __init__(self, path: Path, header: Header) -> None:
        """Read what is there and lock the file against a second writer.

        Raises:
            JournalError: not readable, broken in the middle, or open in another process.
            ReplayMismatch: another engine, seed or format wrote it.
        """
        self.path = path
        self._failed = False
        self._encoder = msgspec.json.Encoder()
        self._entries: dict[str, list[Entry]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror}") from error
        try:
            self._lock()
            self._load(header)
        except BaseException:
            os.close(self._file)
            raise

    def journal(self, run: str) -> Journal:
        """Return the journal of one run of this file; a run is opened once."""
        return Journal(self._entries.pop(run, ()), partial(self._write_entry, run))

    def close(self) -> None:
        """Force what was written to the disk and give the file back."""
        try:
            os.fsync(self._file)
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

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise JournalError(f"{self.path}: another process is writing this journal") from error

    def _load(self, header: Header) -> None:
        with open(self._file, "rb", closefd=False) as lines:
            content = lines.read()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):  # the line that a kill or a full disk cut short
            os.ftruncate(self._file, len(whole))
        first, *rest = whole.splitlines() or [b""]
        if not first:
            self._write(header)
            return
        self._check(first, header)
        decoder = msgspec.json.Decoder(_Line)
        for number, line in enumerate(rest, start=2):
            try:
                record = decoder.decode(line)
            except msgspec.DecodeError as error:
                raise JournalError(f"{self.path}:{number}: not a journal line: {error}") from error
            self._entries.setdefault(record.run, []).append(record.entry)

    def _check(self, line: bytes, header: Header) -> None:
        try:
            found = msgspec.json.decode(line, type=Header)
        except msgspec.DecodeError as error:
            raise JournalError(f"{self.path}:1: not a journal: {error}") from error
        for name in Header.__struct_fields__:
            was, now = getattr(found, name), getattr(header, name)
            if was != now:
                raise ReplayMismatch(
                    f"{self.path} was written with {name} {was!r}, this run has {now!r}: "
                    "use the same, or another journal"
                )

    def _write_entry(self, run: str, entry: Entry) -> None:
        self._write(_Line(run, entry))

    def _write(self, record: msgspec.Struct) -> None:
        if self._failed:
            raise JournalError(f"{self.path}: an earlier line could not be written")
        line = self._encoder.encode(record) + b"\n"
        try:
            written = os.write(self._file, line)
        except OSError as error:
            self._failed = True
            raise JournalError(f"{self.path}: {error.strerror}") from error
        if written < len(line):  # a disk that fills up takes part of a line
            self._failed = True
            raise JournalError(f"{self.path}: the disk is full")
