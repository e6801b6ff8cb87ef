"""Answers in the reasoner's grammar: the symbols after the last ``=``; ``?`` is an abstention."""

from __future__ import annotations


def extract(text: str, *, finished: bool) -> str | None:
    """Return what a finished chain says it comes to; one that was cut says nothing yet."""
    _, sign, said = text.rpartition("=")
    symbols = said.replace("</s>", " ").split()
    if not (finished and sign and symbols) or symbols[0] == "?":
        return None
    return " ".join(symbols)


def equivalent(a: str, b: str) -> bool:
    """Compare symbol by symbol."""
    return a.split() == b.split()
