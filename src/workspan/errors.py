"""Every error that Workspan raises on purpose, branched by what the caller can do about it.

WorkspanError                everything raised on purpose
├─ InputError                a value that the caller wrote is wrong; says what would be right
│  ├─ SpecError              strategy, engine, task or budget text; points at the column
│  └─ DataError              a file of problems; points at the line
├─ KeyRefused                a key of the gateway's: unknown, expired, revoked, out of scope
├─ Refused                   a key's account has no room now; says whether waiting helps
├─ StoreError                the gateway's store can't be used: newer, damaged, something else
│  └─ StoreGone              worth trying again: it can't be reached, or is busy
├─ BudgetExceeded            needs more budget; carries the limit's name and what is left
├─ EngineError               a call failed: never an answer
│  ├─ EngineUnavailable      worth trying again later: network, 429, 5xx, a dead worker
│  ├─ EngineRejected         not worth trying again: wrong key, unknown model, refused request
│  ├─ EngineProtocolError    the server broke the protocol: malformed stream, wrong body
│  └─ ContextExceeded        the prompt is too long for the model: shorten it
├─ WorkerLost                what ran a part of the work is gone; what it had told is kept
├─ UnsupportedCapability     strategy and engine do not fit, found before any spend
├─ UnpricedModel             a money limit on a model whose price is unknown
├─ MissingDependency         an optional extra is not installed; names the extra
├─ PluginError               what another distribution brings can't be used; names the distribution
├─ ModelNotFound             a model's file is not on this machine; says how to fetch it
├─ SandboxUnavailable        code can't be run safely on this machine
├─ CheckoutError             a work tree could not be made or read, or a diff does not apply
├─ VerifierError             a verifier failed to judge (this is not "wrong answer")
├─ GraderError               a grader failed to judge
├─ OutputError               a page, chart or file could not be made; what was finished is kept
├─ JournalError              the journal can't be written or read: full disk, broken line
│  └─ JournalInUse           another process writes it: worth trying again once that has ended
└─ ReplayMismatch            the journal was written by another program, engine or seed
"""

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Literal

from workspan.legible import one_line, quoted

_LONGEST = 1_500
"""Characters of an engine's error."""
_WINDOW = 100
"""Characters of a wrong text that an error shows."""


class WorkspanError(Exception):
    """Base of every error that Workspan raises on purpose.

    Each comes through `pickle` as it is, with what it carries: other processes raise them, too.
    """

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the message and the facts, not what a constructor was given for them."""
        return _made_again, (type(self), self.args, self.__dict__)


class InputError(WorkspanError):
    """A value that the caller wrote is wrong; the message says what would be right."""


class SpecError(InputError):
    """A strategy, engine, task or budget text can't be read."""

    def __init__(self, message: str, *, text: str = "", column: int | None = None) -> None:
        """Show `text` under the message with a caret at `column` (0-based), where given.

        Of a long text the part around the column is shown.
        """
        pointer = _pointer(text, column) if text and column is not None else ""
        super().__init__(message + pointer)
        self.text = text
        self.column = column


def _pointer(text: str, column: int) -> str:
    """Draw a line of at most `_WINDOW` characters of a text with a caret below it."""
    start = max(0, min(column - _WINDOW // 2, len(text) - _WINDOW))
    shown = text[start : start + _WINDOW]
    line = "".join(char if char.isprintable() else " " for char in shown)
    before = line[: column - start]
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in before)
    left, right = "…" * (start > 0), "…" * (start + _WINDOW < len(text))
    return f"\n  {left}{line}{right}\n  {' ' * (len(left) + column - start + wide)}^"


class DataError(InputError):
    """A file of problems or answers can't be read; `line` is 1-based."""

    def __init__(self, message: str, *, path: str = "", line: int | None = None) -> None:
        where = f"{path}:{line}: " if line is not None else f"{path}: " if path else ""
        super().__init__(where + message)
        self.path = path
        self.line = line


class BudgetExceeded(WorkspanError):
    """A call does not fit the budget, even with nothing else in flight.

    `limit` names the column that refused: work, span, prefill, calls, seconds or cost.
    """

    def __init__(self, message: str, *, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class KeyRefused(WorkspanError):
    """A key of the gateway's that may not be used, or not for this.

    `code` names why: invalid_api_key, key_expired, key_revoked or model_not_allowed.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Refused(WorkspanError):
    """A key's account has no room for a request, which has spent nothing.

    `code` is budget_exceeded (no waiting helps before a window turns), budget_busy (what is left
    is held by calls in flight) or rate_limit_exceeded; `limit` the limit as it is written.
    """

    def __init__(
        self, message: str, *, code: str, limit: str = "", retry_after: float | None = None
    ) -> None:
        """Say in how many seconds it is worth trying again; None is never."""
        super().__init__(message)
        self.code = code
        self.limit = limit
        self.retry_after = retry_after


class StoreError(WorkspanError):
    """The gateway's store of keys and accounts can't be used as it is."""


class StoreGone(StoreError):
    """The store can't be reached, or is too busy: the same may succeed later."""


class EngineError(WorkspanError):
    """A call failed. `keys` are the journal keys of the failed calls, set by the session."""

    is_reached = True
    """False where there was nobody at the address."""
    is_asked = True
    """False where a call was refused before it left this process: nothing is told of its engine."""

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        """Make an error of one legible line, since servers write parts of it.

        `status` is the HTTP status, `retry_after` in seconds, where the server gave them.
        """
        super().__init__(one_line(message, _LONGEST))
        self.status = status
        self.retry_after = retry_after
        self.keys: tuple[str, ...] = ()
        self.served: Literal["no", "part", "whole"] = "no"
        """What the server may have decoded, and may charge for, before it failed."""


class EngineUnavailable(EngineError):
    """Network, rate limit, server error or dead worker: the same call may succeed later."""


class EngineRejected(EngineError):
    """Wrong key, unknown model, refused request: the same call would fail again."""


class EngineProtocolError(EngineError):
    """The server broke the protocol: malformed stream, wrong body, missing end."""


class ContextExceeded(EngineError):
    """The prompt and the tokens asked for do not fit the model's context."""


class WorkerLost(WorkspanError):
    """What ran a part of the work is gone: the same is begun anew from what it had told."""


class UnsupportedCapability(WorkspanError):
    """The strategy needs what the engine does not offer; raised before any spend."""


class UnpricedModel(WorkspanError):
    """A money limit was set on a model whose price is unknown."""


class MissingDependency(WorkspanError):
    """An optional extra, or a distribution of this project's, is not installed."""

    def __init__(self, what: str, extra: str = "", *, distribution: str = "workspan") -> None:
        """Say what to install: the distribution, with the extra if there is one."""
        if extra:
            super().__init__(f"{what} needs an extra: pip install '{distribution}[{extra}]'")
        else:
            super().__init__(f"{what} comes with {distribution}: pip install {distribution}")
        self.extra = extra


class PluginError(WorkspanError):
    """What an installed distribution brings can't be used; the message names the distribution."""


class ModelNotFound(WorkspanError):
    """A model's file is not on this machine."""


class SandboxUnavailable(WorkspanError):
    """Model-written code can't be run safely on this machine."""


class CheckoutError(WorkspanError):
    """A work tree could not be made or read, or a diff does not apply."""


class VerifierError(WorkspanError):
    """A verifier failed to judge; this says nothing about the candidate."""


class GraderError(WorkspanError):
    """A grader failed to judge; this says nothing about the answer."""


class OutputError(WorkspanError):
    """A page, a chart or a file could not be drawn or written; what was finished is kept."""


class JournalError(WorkspanError):
    """The journal can't be written or read."""


class JournalInUse(JournalError):
    """Another process writes the journal: worth trying again once that has ended."""


class ReplayMismatch(WorkspanError):
    """The journal was written by another program, engine or seed."""


def _made_again(
    kind: type[WorkspanError], args: tuple[object, ...], facts: dict[str, object]
) -> WorkspanError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` or the whole list, to end the message about an unknown word."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.5) if len(word) <= _WINDOW else []
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"


def first_error(errors: Sequence[BudgetExceeded | EngineError]) -> BudgetExceeded | EngineError:
    """Choose what to raise when nothing came back: a refusal, or a failure that names all keys.

    A call that would fail again comes first: no larger budget mends it.
    """
    refusals = [error for error in errors if isinstance(error, BudgetExceeded)]
    failures = [error for error in errors if isinstance(error, EngineError)]
    hopeless = [error for error in failures if isinstance(error, EngineRejected)]
    if not hopeless and (refusals or not failures):
        return [*refusals, BudgetExceeded("no call was asked for", limit="calls")][0]
    first = [*hopeless, *failures][0]
    first.keys = tuple(key for error in failures for key in error.keys)
    return first


def at_least(lowest: float, **values: float) -> None:
    """Check arguments of a constructor.

    Raises:
        ValueError: one is below `lowest`.
    """
    for name, value in values.items():
        if not value >= lowest:  # so that NaN is refused, too
            raise ValueError(f"{name} is {quoted(value)}: must be at least {lowest:g}")


def within(lowest: float, highest: float, **values: float) -> None:
    """Check arguments of a constructor.

    Raises:
        ValueError: one is below `lowest` or above `highest`.
    """
    for name, value in values.items():
        if not lowest <= value <= highest:
            raise ValueError(f"{name} is {quoted(value)}: must be from {lowest:g} to {highest:g}")


def ungrouped(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that matters: a bug before a failed call before a refusal."""
    leaves = [ungrouped(e) if isinstance(e, BaseExceptionGroup) else e for e in group.exceptions]
    return max(leaves, key=_weight)


def _weight(error: BaseException) -> int:
    return 0 if isinstance(error, BudgetExceeded) else 1 if isinstance(error, EngineError) else 2
