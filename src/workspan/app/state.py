"""Where this user's journals are kept, and how they are called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from workspan.data.entry import FORMAT, Header
from workspan.errors import InputError
from workspan.store.journals import JournalFile


def state_folder() -> Path:
    """Return the private folder for journals: $WORKSPAN_STATE, or the user's state folder.

    Raises:
        InputError: there is none, and none can be made.
    """
    import platformdirs

    chosen = os.environ.get("WORKSPAN_STATE")
    folder = Path(chosen) if chosen else platformdirs.user_state_path("workspan")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"no folder for journals can be made at {folder}: {why}; "
            "set WORKSPAN_STATE to another, or name a --journal"
        ) from None
    return folder


def kept_journal(command: str, asked: Sequence[str]) -> Path:
    """Return where a command's journal is kept: the same for the same question.

    Args:
        command: such as "compare".
        asked: all that makes it another journal.

    Raises:
        InputError: see `state_folder`.
    """
    told = msgspec.json.encode([FORMAT, *asked])  # one of another format has another name
    digest = hashlib.blake2b(told, digest_size=6).hexdigest()
    return state_folder() / f"{command}-{digest}.jsonl"


@contextmanager
def opened_journal(
    journal: JournalFile | Path | str | None, header: Header
) -> Iterator[JournalFile | None]:
    """Open a journal's file for as long as the block runs; one that is open is left open.

    Raises:
        InputError: what is there is no journal.
        JournalError: it can't be read, is damaged, or is open in another process.
        ReplayMismatch: another engine, seed or format wrote it.
    """
    if isinstance(journal, JournalFile):
        journal.belongs_to(header)
    if journal is None or isinstance(journal, JournalFile):
        yield journal
        return
    if not isinstance(journal, str | Path) or "\0" in str(journal):
        raise InputError(f"a journal is a file's path or an open JournalFile, not {journal!r}")
    with JournalFile(Path(journal), header) as opened:
        yield opened


@contextmanager
def private_files() -> Iterator[None]:
    """Make every file written in the block readable by its owner only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
