"""What of a request is kept: which answers and prompts are the same, and texts where allowed."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence

import msgspec

from workspan.answers import canonical
from workspan.answers.voting import calls_tools
from workspan.data.types import AnswerKind, Candidate
from workspan.serve.asked import Asked

_LONGEST = 20_000
"""Characters of a text that is kept."""
_COMPARING_SECONDS = 2.0


def numbered(
    found: Sequence[Candidate | None], kind: AnswerKind
) -> tuple[list[int | None], list[Candidate]]:
    """Number the answers, equal ones alike; return the first candidate of each."""
    known, distinct = dict[Hashable, int](), list[Candidate]()
    numbers: list[int | None] = []
    for one in found:
        if one is None or one.answer is None:
            numbers.append(None)
            continue
        key = _key(one, kind)
        if key not in known:
            known[key] = len(distinct)
            distinct.append(one)
        numbers.append(known[key])
    return numbers, distinct


def _key(one: Candidate, kind: AnswerKind) -> Hashable:
    """Return what equal answers share: calls of tools are compared as they are written."""
    assert one.answer is not None
    if calls_tools(one):
        return "calls", one.answer
    return "said", canonical(one.answer, kind, _COMPARING_SECONDS)


def problem_of(asked: Asked, salt: str) -> str:
    """Return what equal prompts share, and what tells nothing of them without the salt."""
    told = {name: asked.fields.get(name) for name in ("messages", "tools", "response_format")}
    key, content = salt.encode(), msgspec.json.encode(told)
    return hashlib.blake2b(content, key=key, digest_size=12).hexdigest()


def question_of(asked: Asked) -> str:
    """Return a conversation as a labeller reads it."""
    turns = asked.chat.request.prompt
    return kept_text("\n\n".join(f"{turn.role}: {turn.text}" for turn in turns))


def kept_text(text: str) -> str:
    """Return a text as the store takes it: half characters and zeros are none."""
    return text[-_LONGEST:].replace("\0", "").encode("utf-8", "replace").decode()
