"""Answers in the reasoner's grammar: the symbols after the last ``=``; ``?`` is an abstention."""

from __future__ import annotations

from collections.abc import Hashable

from workspan.answers.said import Found, Said


def read(said: Said) -> Found | None:
    """Return what a finished chain says it comes to; one that was cut says nothing yet."""
    sign = said.text.rfind("=")
    symbols = said.text[sign + 1 :].replace("</s>", " ").split()
    if not said.finished or sign < 0 or not symbols or symbols[0] == "?":
        return None
    return Found(" ".join(symbols), sign + 1, len(said.text), "after the last =")


def key(answer: str) -> Hashable:
    """Return the symbols, one by one."""
    return ("s", *answer.split())
