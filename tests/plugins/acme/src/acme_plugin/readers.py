"""A reader: rows that hold a question and an answer under names of Acme's own."""


def pairs(row: dict[str, object]) -> dict[str, object] | None:
    """Read ``ask`` and ``tell``; rows without them are passed over."""
    if "ask" not in row:
        return None
    return {"question": row["ask"], "answer": row["tell"], "kind": "number"}
