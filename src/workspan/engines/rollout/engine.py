"""The engine: a snapshot, and a work tree, a command and a bill for each call."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import anyio
from anyio import to_thread

from workspan.boundary.long_running import Ran, run_long
from workspan.boundary.secret import Secret
from workspan.checkout.snapshot import Snapshot, remove, take
from workspan.core.engine import FREE, Bill, EngineInfo, Whole
from workspan.data.types import Chunk, Message, Notice, Prompt, Request, Usage
from workspan.engines.rollout.told import NOTHING, Reader, Told, read_all
from workspan.errors import CheckoutError, EngineError, EngineRejected, at_least
from workspan.legible import legible, one_line

Source = Literal["", "stdout", "file"]
"""Where a command says what it used: nowhere, in lines on standard output, in $WORKSPAN_USAGE."""

_SHOWN = 4_000
"""Characters that are kept of the end of what it wrote."""
_MOST_USAGE = 16_000_000
"""Bytes of a file of usage."""
_KEYS = ("KEY", "TOKEN", "SECRET", "PASSWORD")
"""How names of variables end that hold what must not be kept or shown."""
_SHORTEST_KEY = 12
"""Characters; what is shorter may be an ordinary word."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, and what it may take."""

    command: str
    usage: Source = ""
    tokens: int | None = None
    prompt_tokens: int | None = None
    cost: Decimal | None = None
    seconds: float = 1800.0
    output_mb: float = 64.0
    parallel: int = 4

    def __post_init__(self) -> None:
        """Refuse what can't be run, and values out of range."""
        if not self.command.strip():
            raise ValueError("command is empty: write what does the task, such as './agent.sh'")
        at_least(1, parallel=self.parallel, seconds=self.seconds)
        at_least(0.001, output_mb=self.output_mb)
        for name in ("tokens", "prompt_tokens", "cost"):
            if getattr(self, name) is not None:
                at_least(0, **{name: getattr(self, name)})

    @property
    def whole(self) -> Whole:
        """What is held for a rollout."""
        return Whole(self.tokens, self.prompt_tokens, self.cost)


class Rollouts:
    """Answers a task by running the user's command on a fresh copy of a folder.

    The candidate is the diff of what the command left, the sample's thinking the end of what it
    wrote. Nothing is written in the folder itself.
    """

    def __init__(self, command: Command, snapshot: Snapshot) -> None:
        self.command, self.snapshot = command, snapshot
        self._tasks = 0

    @classmethod
    async def begin(
        cls,
        command: Command,
        folder: Path,
        carry: tuple[str, ...] = (),
        without: tuple[Path, ...] = (),
    ) -> Rollouts:
        """Copy the folder as it stands, `without` files that are written by the run itself.

        Raises:
            InputError: there is no such folder, it is too large, or there is no git.
            CheckoutError: it could not be copied.
        """
        return cls(command, await to_thread.run_sync(take, folder, carry, without))

    @property
    def info(self) -> EngineInfo:
        """Be known by the command and by what the folder holds: a journal belongs to both."""
        is_free = self.command.cost == 0
        return EngineInfo(
            "rollout",
            f"{one_line(self.command.command, 100)} on {self._identity}",
            price=FREE if is_free else None,
            concurrency=self.command.parallel,
            can_be_cut=False,
            whole=self.command.whole,
        )

    @property
    def _identity(self) -> str:
        """Hash what makes answers others: the whole command, the files, and where it runs."""
        told = "\0".join((self.command.command, self.snapshot.digest, str(self.snapshot.within)))
        return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()

    @property
    def announces(self) -> bool:
        """It says on the bill when the command is started: before that, files are copied."""
        return True

    async def count(self, request: Request) -> int:  # noqa: ARG002  # whatever is asked
        """Return what was stated: it is held as a whole."""
        return self.command.prompt_tokens or 0

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Run one rollout; the only chunk with text is its diff."""
        if request.prefix:
            raise EngineRejected("a rollout begins at the task, and continues no text")
        async with AsyncExitStack() as stack:
            tree = await self._tree(stack)
            place = Path(tempfile.mkdtemp(dir=self.snapshot.root, prefix="call"))
            stack.push_async_callback(_removed, place)
            one = _Rollout(self.command, place, bill)
            ran = await one.run(request, tree, tree / self.snapshot.within)
            if ran.cut != "seconds" and ran.cut != "halted":
                _check(self.command.command, ran)
            try:
                diff = await to_thread.run_sync(self.snapshot.diff, tree)
            except CheckoutError as error:
                raise EngineError(f"what {one_line(self.command.command)} left: {error}") from error
            one.count_unsaid(diff)
        told = legible(_secrets().scrub(ran.out[-_SHOWN:].decode(errors="replace")))
        yield Chunk(diff, reasoning=told)
        yield Chunk(finish="length" if ran.cut else "stop")

    async def aclose(self) -> None:
        """Remove the copies."""
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self.snapshot.close)

    async def _tree(self, stack: AsyncExitStack) -> Path:
        """Make a work tree that is removed with the call, also where it is stopped meanwhile."""
        try:
            with anyio.CancelScope(shield=True):
                tree = await to_thread.run_sync(self.snapshot.tree)
        except OSError as error:
            raise EngineError(f"no work tree could be made: {error.strerror}") from error
        stack.push_async_callback(_removed, tree)
        return tree


@dataclass
class _Rollout:
    """One run of the command, and its bill."""

    command: Command
    place: Path
    """A private folder beside the work tree."""
    bill: Bill

    async def run(self, request: Request, tree: Path, folder: Path) -> Ran:
        """Run the command to its end or its limits; the bill is settled however it ends."""
        task = _task(request.prompt)
        (self.place / "task.md").write_text(task)
        reader = Reader()
        self.bill.tell("leaves")
        self.bill.usage = self._bound(NOTHING)
        ran: Ran | None = None
        try:
            ran = await run_long(
                self.command.command,
                folder=folder,
                variables=self._variables(request, tree),
                given=task.encode(),
                seconds=self.command.seconds,
                most=int(self.command.output_mb * 1_000_000),
                seen=lambda piece: self._is_over(reader, piece),
            )
        finally:
            reader.end()
            self._settle(reader, ran)
        return ran

    def count_unsaid(self, diff: str) -> None:
        """Count what was seen where the command does not say what it decoded."""
        usage = self.bill.usage
        if not usage.output_tokens and not usage.unseen_tokens:
            said = "the command does not say what it decoded: work counts the bytes of its diff"
            self.bill.notices.append(Notice("no_usage", said))
            seen = max(1, len(diff.encode()))
            self.bill.usage = replace(usage, output_tokens=seen, source="estimated")

    def _variables(self, request: Request, tree: Path) -> dict[str, str]:
        limits: Mapping[str, object] = {
            "TASK": self.place / "task.md",
            "USAGE": self.place / "usage.json",
            "TREE": tree,
            "SEED": request.seed,
            "TOKENS": self.command.tokens,
            "COST": self.command.cost,
            "SECONDS": self.command.seconds,
        }
        told = {f"WORKSPAN_{name}": str(v) for name, v in limits.items() if v is not None}
        return {**os.environ, **told, "PWD": str(tree)}

    def _is_over(self, reader: Reader, piece: bytes) -> bool:
        """Read what it says as it goes, and stop it where that passes what it may take."""
        if self.command.usage != "stdout":
            return False
        reader.add(piece)
        told, most = reader.told, self.command
        is_long = most.tokens is not None and (told.output or 0) > most.tokens
        return is_long or (most.cost is not None and (told.cost or 0) > most.cost)

    def _settle(self, reader: Reader, ran: Ran | None) -> None:
        """Charge what it said, if it came to its end; else all that it may have taken."""
        told = reader.told if reader.has_said else None
        if self.command.usage == "file":
            told = self._file()
        usage = self._bound(told or NOTHING)
        if ran is not None and not ran.cut and told is not None:
            usage = self._said(told, usage)
        elif ran is not None:  # there is a sample, and so work
            decoded = usage.output_tokens + usage.unseen_tokens
            usage = replace(usage, output_tokens=decoded, unseen_tokens=0)
        self.bill.usage = usage

    def _said(self, told: Told, bound: Usage) -> Usage:
        """Charge what was said; the bound stands for what was not."""
        output = self.command.tokens or 0 if told.output is None else told.output
        unsaid = told.output is None or told.input is None
        return replace(
            bound,
            output_tokens=output,
            unseen_tokens=0,
            input_tokens=bound.input_tokens if told.input is None else told.input,
            cost=bound.cost if told.cost is None else told.cost,
            source="estimated" if unsaid else "measured",
        )

    def _bound(self, told: Told) -> Usage:
        """Charge the most that it may have taken, and what it said where that is more."""
        most, output = self.command, told.output or 0
        cost = max((x for x in (most.cost, told.cost) if x is not None), default=None)
        return Usage(
            1,
            max(told.input or 0, told.cached + (most.prompt_tokens or 0)),
            told.cached,
            output,
            told.reasoning,
            max(0, (most.tokens or 0) - output),
            cost,
            "estimated",
        )

    def _file(self) -> Told | None:
        """Read the file of usage, as far as there is one of a size to read."""
        path = self.place / "usage.json"
        try:
            if not path.is_file() or path.is_symlink() or path.stat().st_size > _MOST_USAGE:
                return None
            return read_all(path.read_bytes())
        except OSError:
            return None


def _check(command: str, ran: Ran) -> None:
    """Tell a command that failed from one that did the task badly.

    Raises:
        EngineError: it did.
    """
    if ran.cut == "output":
        raise EngineError(f"{one_line(command)} wrote more than it may (output_mb)")
    if ran.status:
        last = _secrets().scrub(ran.err.decode(errors="replace").strip().rpartition("\n")[2])
        why = f": {one_line(last, 300)}" if last.strip() else ", and said nothing on stderr"
        raise EngineError(f"{one_line(command)} ended with {ran.status}{why}")


def _secrets() -> Secret:
    """Return the keys in the environment that the command has, which it may print."""
    named = (value for name, value in os.environ.items() if name.upper().endswith(_KEYS))
    return Secret("", tuple(value for value in named if len(value) >= _SHORTEST_KEY))


def _task(prompt: Prompt) -> str:
    """Write the task as one text: a single turn as it is, more with who speaks."""
    if len(prompt) == 1:
        return prompt[0].text
    return "\n\n".join(f"{_speaker(turn)}:\n{turn.text}" for turn in prompt)


def _speaker(turn: Message) -> str:
    return {"assistant": "An earlier attempt", "user": "Task"}.get(turn.role, turn.role)


async def _removed(place: Path) -> None:
    with anyio.CancelScope(shield=True):
        await to_thread.run_sync(remove, place)
