"""The file of answers that ``solve`` writes: resumable, in order, and never another's."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import TracebackType

import msgspec

from workspan.boundary.outputs import replace_file
from workspan.errors import InputError, OutputError

_ANSWERED = frozenset(
    {"problem", "answer", "engine", "model", "strategy", "budget", "work", "span"}
)
_FAILED = frozenset({"problem", "answer", "error"})


class AnswersFile:
    """Answers as they come, behind those of an earlier run until the new ones stand in order.

    What an earlier run left is only replaced by answers to the same problems, and whole: a run that
    is stopped, or killed, takes nothing away.
    """

    def __init__(self, path: Path, order: Sequence[str]) -> None:
        """Open a file of answers, or a new one, for problems of these ids.

        Raises:
            OutputError: it can't be written, here and below: what was finished is in the journal.
        """
        self.path, self.order = path, order
        with _told(path):
            before = path.read_bytes() if path.exists() else b""
            self._lines = _records(before)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(path, flags, 0o600)
            if not before:
                os.fchmod(self._file, 0o600)  # also where it was made open to others
            os.ftruncate(self._file, before.rfind(b"\n") + 1)  # a line that a kill cut short

    def add(self, problem: str, line: bytes) -> None:
        """Write the answer to one problem, a line without its end."""
        self._lines[problem] = line
        whole = memoryview(line + b"\n")
        with _told(self.path):
            while whole:
                whole = whole[os.write(self._file, whole) :]

    def __enter__(self) -> AnswersFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the answers in the order of the problems, each once."""
        os.close(self._file)
        lines = [self._lines[name] + b"\n" for name in self.order if name in self._lines]
        with _told(self.path):
            replace_file(self.path, b"".join(lines))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror}; what was finished is kept in its journal: "
            "the same command goes on from there"
        ) from error


def is_answers(path: Path, problems: Collection[str]) -> bool:
    """Tell whether every line is an answer of ours; only the last may be cut short.

    Raises:
        InputError: they are, but to other problems.
        OSError: the file can't be read.
    """
    content = path.read_bytes()
    whole, tail = content[: content.rfind(b"\n") + 1], content[content.rfind(b"\n") + 1 :]
    if tail and not (whole and tail.startswith(b'{"problem":')):
        return False
    try:
        found = _records(whole)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    others = [name for name in found if name not in problems]
    if others:
        raise InputError(
            f"{path} holds the answer to {others[0]!r}, which is none of these problems: it is "
            "left as it is, name another file"
        )
    return True


def _records(content: bytes) -> dict[str, bytes]:
    """Return each whole line by its problem; of two to one problem, the last."""
    found: dict[str, bytes] = {}
    for line in BytesIO(content):
        if not line.endswith(b"\n"):
            break
        record = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        if not (record.keys() >= _ANSWERED or record.keys() == _FAILED):
            raise msgspec.ValidationError("not an answer")
        found[msgspec.json.decode(record["problem"], type=str)] = line.rstrip(b"\n")
    return found
