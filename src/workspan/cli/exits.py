"""Exit codes that scripts can use, one for each thing that a caller can do about an error."""

from __future__ import annotations

from enum import IntEnum

from workspan import errors


class Exit(IntEnum):
    """What the process says when it ends."""

    OK = 0
    BUG = 1
    """An error that Workspan did not foresee; please report it."""
    BAD_INPUT = 2
    """Something the caller wrote is wrong; nothing was spent."""
    ENGINE = 3
    """Calls failed; what was finished is kept."""
    NO_ANSWER = 4
    """The run ended without an answer: an abstention, or a budget too small."""
    MACHINE = 5
    """Something is missing or full on this machine: a model, an extra, a sandbox, the disk."""
    OUTPUT = 6
    """A page, a chart or a file could not be drawn or written; what was finished is kept."""
    INTERRUPTED = 130
    """Stopped by the user; what was finished is kept."""


def exit_for(error: errors.WorkspanError) -> Exit:
    """Choose the code that stands for `error`."""
    if isinstance(error, errors.EngineError):
        return Exit.ENGINE
    if isinstance(error, errors.BudgetExceeded):
        return Exit.NO_ANSWER
    if isinstance(error, errors.OutputError):
        return Exit.OUTPUT
    missing = (
        errors.MissingDependency
        | errors.ModelNotFound
        | errors.PluginError
        | errors.SandboxUnavailable
        | errors.CheckoutError
        | errors.JournalError
        | errors.StoreError
        | errors.WorkerLost
    )
    return Exit.MACHINE if isinstance(error, missing) else Exit.BAD_INPUT
