"""A verifier of the user's own: a Python function, or a command that reads JSON.

The function is called as ``check(problem, candidate)``; the command gets one JSON object on
standard input: ``problem`` (its id), ``question``, ``kind``, ``metadata``, ``text`` (of the
candidate) and ``answer``. Either gives a score from 0 to 1, true or false,
``{"score": …, "reason": …}``, or None (null) for no verdict. What fails gives none either: never a
score of 0. Verdicts are journaled, so that a resumed run does not ask for them again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import anyio
import msgspec

from workspan.boundary.shell import CommandError, ask
from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import BudgetExceeded, EngineError, VerifierError
from workspan.legible import one_line
from workspan.registry.card import Card
from workspan.registry.table import written

SECONDS = 60.0
"""That one verdict may take."""


@dataclass(frozen=True)
class FunctionVerifier:
    """Ask a Python function for a verdict; it may be a coroutine.

    One that takes a third argument gets the session, and must be a coroutine: what it calls there
    is on the account.
    """

    name: str
    """How it is written."""
    call: Callable[..., Any] = field(repr=False)
    seconds: float = SECONDS
    requires: ClassVar[frozenset[Capability]] = frozenset()

    @property
    def card(self) -> Card:
        """What it costs: nothing, or nobody knows where it has the session."""
        if _wants_session(self.call):
            return Card(example=self.name)
        return Card(example=self.name, calls="0", work="0", span="0")

    def written(self) -> str:
        """Return ``module:function``."""
        return self.name

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Judge one candidate.

        A function that does not end in time goes on in its thread, and its verdict is dropped.

        Raises:
            VerifierError: it raised, took too long or gave no verdict.
        """
        if _wants_session(self.call):
            return _score(await self._asked(problem, candidate, session), self.name)

        async def judged(_: str) -> str:
            return _kept(_score(await self._asked(problem, candidate), self.name))

        return _read(await session.call(judged, ""))

    async def _asked(self, *given: object) -> Any:
        try:
            with anyio.fail_after(self.seconds):
                if inspect.iscoroutinefunction(self.call):
                    return await self.call(*given)
                return await anyio.to_thread.run_sync(self.call, *given, abandon_on_cancel=True)
        except TimeoutError:
            raise VerifierError(f"{self.name} took more than {self.seconds:g} seconds") from None
        except (BudgetExceeded, EngineError, VerifierError):
            raise
        except Exception as error:  # the boundary to the user's own code
            raise VerifierError(f"{self.name} failed: {one_line(repr(error))}") from error


@dataclass(frozen=True)
class CommandVerifier:
    """Ask a shell command: JSON on standard input, a verdict as JSON on standard output."""

    command: str
    seconds: float = SECONDS
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(example="'sh:./check.sh'", calls="0", work="0", span="0")

    @property
    def name(self) -> str:
        """How it is called in notices."""
        return f"sh:{self.command}"

    def written(self) -> str:
        """Return it as a text: ``'sh:COMMAND'``."""
        return repr(self.name)

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Judge one candidate.

        Raises:
            VerifierError: it failed, took too long, wrote too much or gave no verdict.
        """
        asked = {
            "problem": problem.id,
            "question": problem.prompt[-1].text,
            "kind": problem.kind,
            "metadata": problem.metadata,
            "text": candidate.text,
            "answer": candidate.answer,
        }

        async def judged(given: str) -> str:
            try:
                told = await ask(self.command, given.encode() + b"\n", seconds=self.seconds)
            except CommandError as error:
                raise VerifierError(str(error)) from None
            try:
                verdict = msgspec.json.decode(told.strip())
            except (msgspec.DecodeError, RecursionError):
                wrote = one_line(told[:400].decode(errors="replace"), 80)
                raise VerifierError(f"{self.command} wrote {wrote!r}, and no score") from None
            return _kept(_score(verdict, self.command))

        return _read(await session.call(judged, msgspec.json.encode(asked).decode()))


def own_verifier(call: Callable[..., Any], seconds: float = SECONDS) -> FunctionVerifier:
    """Make a verifier of a function.

    Args:
        call: see the module.
        seconds: that one verdict may take.
    """
    return FunctionVerifier(written(call), call, seconds)


def _wants_session(call: Callable[..., Any]) -> bool:
    try:
        given = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return False
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [one for one in given if one.kind in places and one.default is one.empty]
    return len(needed) > 2


def _score(given: Any, who: str) -> Score:
    """Read what a verifier gave.

    Raises:
        VerifierError: it is no verdict.
    """
    if isinstance(given, Score):
        given = {"score": given.value, "reason": given.reason}
    reason = ""
    if isinstance(given, Mapping):
        reason = str(given.get("reason") or "")
        given = given.get("score")
    if given is None:
        raise VerifierError(f"{who} gave no verdict" + (f": {one_line(reason)}" if reason else ""))
    if not isinstance(given, int | float) or not 0 <= given <= 1:
        shown = one_line(repr(given), 80)
        raise VerifierError(f"{who} gave {shown}: a score is a number from 0 to 1")
    return Score(float(given), reason)


class _Kept(msgspec.Struct):
    """A verdict in a journal."""

    score: float
    reason: str


def _kept(score: Score) -> str:
    return msgspec.json.encode(_Kept(score.value, score.reason)).decode()


def _read(text: str) -> Score:
    kept = msgspec.json.decode(text, type=_Kept)
    return Score(kept.score, kept.reason)
