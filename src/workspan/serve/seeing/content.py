"""What was asked and said, for an operator who started with ``--show-content``. Never else."""

from __future__ import annotations

import json
from typing import Any

from workspan.legible import legible
from workspan.serve.seeing.record import Record

_LONGEST = 2_000
"""Characters of a text that is shown."""


def last_turn(fields: dict[str, Any]) -> str:
    """Return the text of the last turn of a chat's body, or of a completion's prompt."""
    turns = fields.get("messages")
    if not isinstance(turns, list) or not turns:
        prompt = fields.get("prompt")
        return _shown(prompt) if isinstance(prompt, str) else ""
    last = turns[-1]
    content = last.get("content") if isinstance(last, dict) else None
    parts = content if isinstance(content, list) else [{"text": content}]
    told = [part.get("text") for part in parts if isinstance(part, dict)]
    return _shown("\n".join(one for one in told if isinstance(one, str)))


def answer(record: Record) -> str:
    """Return what a client was told: the chosen draft, or what was passed on."""
    chosen = [bar.text for bar in record.timeline.bars if bar.is_chosen and bar.text]
    if chosen:
        return _shown("\n".join(chosen))
    return _shown(_text(b"".join(record.said)))


def _text(said: bytes) -> str:
    """Put together the text of a reply, whole or as a stream of events; of a torn one what is."""
    events = [said] if said.startswith(b"{") else said.split(b"\n\n")
    found = []
    for event in events:
        try:
            value = json.loads(event[event.find(b"data: ") + 6 :] if event[:1] != b"{" else event)
        except (ValueError, RecursionError):
            continue
        found += [_said(choice) for choice in _choices(value)]
        found += _in_dialect(value)
    return "".join(found)


def _in_dialect(value: Any) -> list[str]:
    """Return the texts of an event, or of a whole reply, of Responses or Messages."""
    if not isinstance(value, dict):
        return []
    delta = value.get("delta")
    if isinstance(delta, str):
        return [delta] if value.get("type") == "response.output_text.delta" else []
    if isinstance(delta, dict) and isinstance(text := delta.get("text"), str):
        return [text]
    items = value.get("output") if value.get("object") == "response" else [value]
    return [text for item in items or () if isinstance(item, dict) for text in _parts(item)]


def _parts(item: dict[str, Any]) -> list[str]:
    parts = item.get("content") if item.get("type") == "message" else ()
    told = [part.get("text") for part in parts or () if isinstance(part, dict)]
    return [one for one in told if isinstance(one, str)]


def _choices(value: Any) -> list[dict[str, Any]]:
    choices = value.get("choices") if isinstance(value, dict) else None
    return [one for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []


def _said(choice: dict[str, Any]) -> str:
    inner = choice.get("delta") or choice.get("message") or choice
    told = (inner.get("content") or inner.get("text")) if isinstance(inner, dict) else None
    return told if isinstance(told, str) else ""


def _shown(text: str) -> str:
    return legible(text[: 2 * _LONGEST])[:_LONGEST]
