"""The tables' versions: numbered files of statements, applied in order, never back."""

from __future__ import annotations

from importlib.resources import files

from workspan.errors import StoreError
from workspan.store.statement import Statement, Work

_MARK = "workspan gateway"
"""What the table of versions says, so that nobody else's is taken for ours."""


def migrations() -> dict[int, list[str]]:
    """Return the statements of each version."""
    found = {}
    for path in (files("workspan.store") / "migrations").iterdir():
        if path.name.endswith(".sql"):
            text = path.read_text("utf-8")
            statements = [part.strip() for part in text.split(";\n")]
            found[int(path.name.partition("_")[0])] = [one for one in statements if one]
    return dict(sorted(found.items()))


def migrate(shown: str, *, is_empty: bool) -> Work[int]:
    """Bring the tables up to date within a transaction that nobody else migrates in.

    Returns:
        The version.

    Raises:
        StoreError: a newer version wrote them, or they are not ours.
    """
    known = migrations()
    newest = max(known)
    if is_empty:
        yield Statement(
            "CREATE TABLE workspan_schema (what TEXT NOT NULL, version BIGINT NOT NULL)"
        )
        yield Statement("INSERT INTO workspan_schema VALUES (?, 0)", (_MARK,))
    rows = yield Statement("SELECT what, version FROM workspan_schema")
    if len(rows) != 1 or rows[0][0] != _MARK:
        raise StoreError(f"{shown}: its table workspan_schema is not this program's: name another")
    version = int(rows[0][1])
    if version > newest:
        raise StoreError(
            f"{shown}: written by a newer workspan (tables {version}, this one knows up to "
            f"{newest}): update workspan, or name another store"
        )
    for number, statements in known.items():
        if number > version:
            for text in statements:
                yield Statement(text)
            yield Statement("UPDATE workspan_schema SET version = ?", (number,))
    return newest
