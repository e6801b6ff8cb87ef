"""What is left of a trajectory's budget, told to its agent: where it is written, in which words.

Always as headers, which change nothing of what a model reads. To the model itself only where its
client wishes so: at the very end of the prompt, after what the last turn said or a tool returned
(Budget Tracker, arXiv:2511.17006). The client keeps its own copy of the conversation and never sees
the words again: so every prompt begins with the last one to the letter, and caches hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from workspan.errors import InputError
from workspan.serve.relay.body import Body
from workspan.serve.trajectories.book import Turn

_FIELDS: Mapping[str, str] = {"chat": "messages", "message": "messages", "response": "input"}
_TEXT: Mapping[str, str] = {"chat": "text", "message": "text", "response": "input_text"}
"""How a part of a turn is called that is text."""
_OTHERS = ("user", "tool", "function", "system", "developer")


def headers_of(turn: Turn) -> list[tuple[bytes, bytes]]:
    """Return what each reply says of its trajectory: its turn, and what was left before it."""
    said = [(b"x-workspan-trajectory-turn", b"%d" % turn.number)]
    if turn.left:
        said.append((b"x-workspan-trajectory-left", turn.left.encode()))
    return said


def words_of(turn: Turn) -> str:
    """Return what an agent is told, in one line."""
    stated = turn.trajectory.stated
    place = f"Turn {turn.number} of {stated}" if stated else f"Turn {turn.number}"
    return f"[{place}; left of this run's budget: {turn.left or 'no limit'}]"


def with_words(body: Body, form: str, words: str) -> Body:
    """Return a body whose last turn ends with such a line; every other turn keeps its bytes.

    Raises:
        InputError: it holds no turns.
    """
    name = _FIELDS[form]
    told = body.copy()
    if name == "input" and body.raw(name)[:1] == b'"':
        told.set(name, f"{body.get(name, str, 'a text')}\n\n{words}")
        return told
    turns = body.get(name, list[msgspec.Raw], "a list of turns")
    last = _read(turns[-1]) if turns else None
    if turns is None or last is None:
        raise InputError(f"{name} must be a list of turns")
    field = "output" if last.get("type") == "function_call_output" else "content"
    if field == "content" and last.get("role") not in _OTHERS:
        return body  # what the model itself begins is gone on with, and nothing comes between
    last[field] = _longer(last.get(field), words, _TEXT[form])
    told.set(name, [*turns[:-1], last])
    return told


def _read(raw: msgspec.Raw) -> dict[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError:
        raise InputError("the last turn must be an object") from None


def _longer(content: Any, words: str, kind: str) -> Any:
    """Write words behind what a turn says: a text stays a text, a list of parts has one more."""
    if isinstance(content, list):
        return [*content, {"type": kind, "text": words}]
    return f"{content}\n\n{words}" if content else words
