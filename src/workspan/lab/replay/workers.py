"""A replay over several processes: each takes the next split that nobody has begun.

A worker is a Python of its own, told by its standard input what the work is, and then one split
after another; the process that asks works beside it. What a worker can't be told, such as a
strategy that only the asking program knows, the asking process does itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import IO, TypeVar

import anyio
import msgspec

from workspan.data.budget import Budget
from workspan.data.types import AnswerKind, Message, Problem
from workspan.errors import WorkspanError
from workspan.lab.replay.folds import Folds
from workspan.lab.replay.held_out import Found, Work
from workspan.lab.replay.methods import read_methods
from workspan.recordings.recording import Chain, Recording, Unit

T = TypeVar("T")

LEAST = 200_000
"""Chains times methods times budgets from which on a worker, a second to start, pays."""

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from workspan.lab.replay.workers import serve; serve()"
)
_SIZE = 8
"""Bytes that say how long a message is."""


class _Recorded(msgspec.Struct, frozen=True):
    """A recording whose problems are one text each."""

    model: str
    problems: tuple[tuple[str, str, AnswerKind, bool], ...]
    """Id, text, kind, and whether the text is what was asked."""
    chains: dict[str, tuple[Chain, ...]]
    references: dict[str, str]
    tasks: dict[str, str]
    verdicts: dict[str, dict[str, float]]
    setting: str
    unit: Unit
    effort: str

    @classmethod
    def of(cls, one: Recording) -> _Recorded:
        """Say it."""
        problems = tuple(
            (p.id, "".join(turn.text for turn in p.prompt), p.kind, p.is_asked)
            for p in one.problems
        )
        told = ({**one.chains}, {**one.references}, {**one.tasks})
        graded = {name: {**grades} for name, grades in one.verdicts.items()}
        return cls(one.model, problems, *told, graded, one.setting, one.unit, one.effort)

    def recording(self) -> Recording:
        """Understand it."""
        problems = (
            Problem(name, (Message("user", text),), kind, is_asked=is_asked)
            for name, text, kind, is_asked in self.problems
        )
        told = (self.chains, self.references, self.tasks, self.verdicts)
        of = (self.setting, self.unit, self.effort)
        return Recording(self.model, tuple(problems), *told, *of)


class _Told(msgspec.Struct, frozen=True):
    """The work as a worker is told it."""

    recordings: tuple[_Recorded, ...]
    methods: tuple[str, ...]
    budgets: tuple[str, ...]
    folds: str
    seed: int
    seeds: int

    @classmethod
    def of(cls, work: Work) -> _Told | None:
        """Say it; None where a worker would understand something else."""
        names = tuple(one.name for one in work.methods)
        told = cls(
            tuple(map(_Recorded.of, work.recordings)),
            names,
            tuple(map(str, work.budgets)),
            str(work.folds),
            work.seed,
            work.seeds,
        )
        try:
            again = told.work()
        except WorkspanError:
            return None
        is_same = again.methods == work.methods and again.budgets == work.budgets
        return told if is_same and again.recordings == work.recordings else None

    def work(self) -> Work:
        """Understand it.

        Raises:
            WorkspanError: a strategy or a budget is not known here.
        """
        methods = tuple(one for name in self.methods for one in read_methods(name) if one)
        budgets = tuple(
            Budget.parse(text) if text != str(Budget()) else Budget() for text in self.budgets
        )
        folds = Folds.parse(self.folds)
        recordings = tuple(one.recording() for one in self.recordings)
        return Work(recordings, methods, budgets, folds, self.seed, self.seeds)


async def done_by(
    work: Work, on_progress: Callable[[int, int], None] | None = None, workers: int | None = None
) -> list[Found]:
    """Do the work, and return what was found on each split.

    Args:
        work: what there is to be done.
        on_progress: called with the runs done and planned.
        workers: further processes; None is one for each further core, where it pays.
    """
    splits = range(len(work.splits))
    left, found = deque(splits), dict[int, Found]()
    if workers is None:
        workers = _cores() - 1 if work.size >= LEAST else 0
    told = _Told.of(work) if workers else None
    with ExitStack() as stack:
        hired = min(workers, len(splits) - 1) if told else 0
        others = [stack.enter_context(_Worker(told, left, found)) for _ in range(hired)]
        while left:
            with suppress(IndexError):  # another took the last one
                split = left.popleft()
                found[split] = await work.do(split)
                _tell(work, found, on_progress)
        for one in others:
            one.wait()
        for split in splits:  # what a worker could not do
            if split not in found:
                found[split] = await work.do(split)
    _tell(work, found, on_progress)
    return [found[split] for split in splits]


def _tell(
    work: Work, found: dict[int, Found], on_progress: Callable[[int, int], None] | None
) -> None:
    if on_progress is not None:
        planned = sum(map(work.runs, range(len(work.splits))))
        on_progress(sum(map(work.runs, [*found])), planned)


def _cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker:
    """Another process, and the thread that talks to it."""

    def __init__(self, told: _Told | None, left: deque[int], found: dict[int, Found]) -> None:
        self._told, self._left, self._found = told, left, found
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._talk, daemon=True)

    def __enter__(self) -> _Worker:
        path = msgspec.json.encode(sys.path).decode()
        with suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._thread.join()
            with suppress(OSError), self._process:  # what was not read any more
                pass

    def wait(self) -> None:
        """Wait for its last split."""
        if self._process is not None:
            self._thread.join()

    def _talk(self) -> None:
        """Give it splits as long as there are any; where it fails, the others go on without it."""
        assert self._process is not None
        there, back = self._process.stdin, self._process.stdout
        assert there is not None
        assert back is not None
        with suppress(OSError, EOFError, msgspec.MsgspecError):
            _say(there, self._told)
            _hear(back, bool)  # it has understood
            while self._left:
                with suppress(IndexError):
                    split = self._left.popleft()
                    _say(there, split)
                    self._found[split] = _hear(back, Found)


def _say(stream: IO[bytes], value: object) -> None:
    content = msgspec.msgpack.encode(value)
    stream.write(len(content).to_bytes(_SIZE, "big") + content)
    stream.flush()


def _hear(stream: IO[bytes], kind: type[T]) -> T:
    """Read a message.

    Raises:
        EOFError: nobody speaks any more.
    """
    size = stream.read(_SIZE)
    if len(size) < _SIZE:
        raise EOFError
    return msgspec.msgpack.decode(stream.read(int.from_bytes(size, "big")), type=kind)


def serve() -> None:
    """Be a worker: read the work, then splits, and write what was found on each."""
    source, replies = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a strategy prints is no reply
    with suppress(EOFError):
        work = _hear(source, _Told).work()
        _say(replies, True)
        while True:
            _say(replies, anyio.run(work.do, _hear(source, int)))
