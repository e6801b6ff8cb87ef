"""Open answers, such as a plan or an essay: the whole text, equal only to itself."""

from __future__ import annotations

from collections.abc import Hashable

from workspan.answers.said import Found, Said


def read(said: Said) -> Found | None:
    """Return the text; half a plan is a plan too, for its evaluator to judge."""
    content = said.text.strip()
    start = len(said.text) - len(said.text.lstrip())
    return Found(content, start, start + len(content), "whole text") if content else None


def key(answer: str) -> Hashable:
    """Return the words; white space tells nothing apart."""
    return ("w", " ".join(answer.split()))
