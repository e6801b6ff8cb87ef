"""Tests of the user's own on what a diff makes of a folder, in a sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import anyio
import msgspec
from anyio import to_thread

from workspan.checkout.snapshot import Snapshot, remove, take
from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import CheckoutError, VerifierError, at_least
from workspan.legible import legible
from workspan.registry.card import Card

_SHOWN = 2_000
"""Characters of what the tests wrote that are kept as the reason."""


class _Verdict(msgspec.Struct):
    """One verdict in a journal."""

    score: float
    reason: str


@dataclass(frozen=True)
class PatchTests:
    """Apply a candidate's diff to a copy of the folder and run a command there: 0 is a pass.

    The copy is thrown away, and the command runs in a sandbox: without network, without the user's
    other files, and without the environment but for PATH. A diff that does not apply, or is empty,
    fails. Where the sandbox's own limits end the command there is a score of 0 as well, and the
    reason says so. $WORKSPAN_PROBLEM holds the problem's id.
    """

    command: str
    """For `sh -c`: such as 'python -m pytest -q'."""
    folder: str = "."
    show: tuple[str, ...] = ()
    """Further paths that the command may read, such as a toolchain's."""
    carry: tuple[str, ...] = ()
    """Paths in the folder that git ignores and that the tests need."""
    seconds: float = 300.0
    memory_mb: int = 2048
    taken: Snapshot | None = field(default=None, repr=False, compare=False)
    """The folder as it stood when rollouts began, from who has it."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="patch_tests(command='true')",
        source="this package",
        parameters={
            "folder": "What the diff is of.",
            "seconds": "That the command may take.",
            "memory_mb": "MiB that it may use, its files included.",
        },
        calls="0",
        work="0",
        span="0",
        needs="a sandbox (Linux), and git",
        helps="Rollouts of a coding agent, and any model that answers with a diff.",
        hurts="Tests that a wrong change passes, too.",
        runs=True,
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if not self.command.strip():
            raise ValueError("command is empty: write what tests the change, such as 'make test'")
        at_least(0, seconds=self.seconds)
        at_least(1, memory_mb=self.memory_mb)

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Return 1 where the command ends with 0 on the changed folder, else 0.

        Raises:
            VerifierError: the folder could not be copied.
            SandboxUnavailable: code can't be run safely on this machine.
        """

        async def judged(diff: str) -> str:
            return msgspec.json.encode(await self._judge(problem.id, diff)).decode()

        verdict = msgspec.json.decode(await session.call(judged, candidate.text), type=_Verdict)
        return Score(verdict.score, verdict.reason)

    async def _judge(self, problem: str, diff: str) -> _Verdict:
        from workspan.sandbox import run_command

        if not diff.strip():
            return _Verdict(0.0, "no change")
        try:
            taken = self.taken
            if taken is None:
                taken = await to_thread.run_sync(take, Path(self.folder), self.carry)
        except (CheckoutError, OSError) as error:
            raise VerifierError(f"the folder could not be copied: {error}") from error
        tree: Path | None = None
        try:
            tree = await to_thread.run_sync(taken.patched, _ended(diff))
            outcome = await run_command(
                self.command,
                tree,
                within=str(taken.within),
                variables={"WORKSPAN_PROBLEM": problem},
                show=self.show,
                seconds=self.seconds,
                memory_mb=self.memory_mb,
            )
        except CheckoutError as error:
            return _Verdict(0.0, f"the diff does not apply: {error}")
        finally:
            with anyio.CancelScope(shield=True):
                if tree is not None:
                    await to_thread.run_sync(remove, tree)
                if taken is not self.taken:
                    await to_thread.run_sync(taken.close)
        told = legible((outcome.stdout + outcome.stderr).strip()[-_SHOWN:])
        ended = "" if outcome.reason in ("ok", "error") else f"ended by its {outcome.reason}\n"
        return _Verdict(float(outcome.reason == "ok"), ended + told)


def _ended(diff: str) -> str:
    """End the last line, which reading an answer may have taken off."""
    return diff if diff.endswith("\n") else diff + "\n"
