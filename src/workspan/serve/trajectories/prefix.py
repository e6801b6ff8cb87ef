"""Trajectories that nobody named: a request is of the one whose last answer it goes on from.

What a client was told is read from the bytes that it was sent, in its own dialect, and put behind
the prompt that it answers: the hash of both is what a later request must begin with. What clients
write anew does not count: blanks, marks for caches of prompts, thoughts in tags, how a number in a
call's arguments is written. Nor does what a system says, which some write anew each turn. Ids of
calls count, where an upstream gives each its own. Nothing of the conversation is kept but the hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from workspan.data.types import Message

MOST_BYTES = 4 << 20
"""Of what a reply says, and of one event, or of a reply in one body: beyond it nothing is begun."""
_MOST_CHOICES = 128
"""Of a reply that can be gone on from."""
_MOST_CALLS = 1_000
_THOUGHTS = tuple((f"<{x}>", f"</{x}>") for x in ("think", "thinking", "assistant_thinking"))
"""The last is how Pydantic AI tells a model its thoughts again: in a turn of the user's."""
_MOST = 64
"""Answers of a prompt that are looked for, the last first."""
Call: TypeAlias = tuple[str, str, str]
"""Of a tool: its id, the tool's name, the arguments as JSON in one form."""


@dataclass(slots=True)
class Answer:
    """What a model said in one turn, as far as it is compared."""

    text: str = ""
    calls: list[Call] = field(default_factory=list)
    size: int = field(default=0, compare=False)
    """Characters of both, as far as they came."""

    def say(self, text: str) -> None:
        """Go on with the text."""
        self.text += text
        self.size += len(text)

    def call(self, place: int, id: str, name: str, arguments: str) -> None:
        """Go on with a call, or begin the next one.

        Raises:
            ValueError: there is none at that place, or too many.
        """
        if not 0 <= place <= len(self.calls) or place > _MOST_CALLS:
            raise ValueError(place)
        if place == len(self.calls):
            self.calls.append(("", "", ""))
        known = self.calls[place]
        self.calls[place] = grown = (known[0] or id, known[1] or name, known[2] + arguments)
        self.size += sum(map(len, grown)) - sum(map(len, known))

    @property
    def is_empty(self) -> bool:
        """Nothing was said."""
        return not (self.text.strip() or self.calls)


Answers: TypeAlias = dict[int, Answer]
"""By the places of their choices."""


def prefixes(scope: str, prompt: Sequence[Message]) -> list[str]:
    """Return the hashes of a prompt up to each answer in it, the last first."""
    found = [digest for is_answer, digest in _digests(scope, prompt) if is_answer]
    return found[::-1][:_MOST]


def prefix_after(scope: str, prompt: Sequence[Message], answer: Answer) -> str:
    """Return the hash of a prompt with the answer that it got."""
    state, turns = hashlib.sha256(scope.encode()), _turns(prompt)
    text, calls = _spoken(answer.text), answer.calls
    if turns and turns[-1][0] == "assistant":  # what the client began is gone on with
        *_, begun, before = turns.pop()
        text, calls = begun + text, [*before, *calls]
    for one in [*turns, ("assistant", "", text, calls)]:
        state.update(_bytes(one))
    return state.hexdigest()


def apart(digests: Iterable[str], marks: str) -> list[str]:
    """Return hashes to look for, or to keep: beside each, before it, the one with a client's marks.

    So runs that were told the same to the letter are told apart by what their requests say
    of themselves. What says another thing each turn is found without it.
    """
    if not marks:
        return [*digests]
    pairs = ((hashlib.sha256(f"{one}\n{marks}".encode()).hexdigest(), one) for one in digests)
    return [one for pair in pairs for one in pair]


_Turn: TypeAlias = tuple[str, str, str, list[Call]]


def _digests(scope: str, prompt: Sequence[Message]) -> Iterable[tuple[bool, str]]:
    state = hashlib.sha256(scope.encode())
    for one in _turns(prompt):
        state.update(_bytes(one))
        yield one[0] == "assistant", state.hexdigest()


def _turns(prompt: Sequence[Message]) -> list[_Turn]:
    """Return turns in one form; what several items of one answer say is one turn."""
    found: list[_Turn] = []
    for one in prompt:
        role = one.role
        if role in ("system", "developer"):
            continue
        others = [repr(x) for x in one.content or () if not hasattr(x, "text")]
        text = _spoken(one.text) + "".join(others if isinstance(one.content, tuple) else ())
        calls = [(call.id, call.name, _one_form(call.arguments)) for call in one.tool_calls]
        if found and role == "assistant" == found[-1][0]:
            before = found.pop()
            text, calls = before[2] + text, before[3] + calls
        if text.strip() or calls or not one.text.strip():
            found.append((role, one.tool_call_id, text, calls))
    return found


def _bytes(turn: _Turn) -> bytes:
    role, of, text, calls = turn
    return json.dumps([role, of, "".join(text.split()), sorted(calls)]).encode() + b"\n"


def _spoken(text: str) -> str:
    """Leave out thoughts in tags: some clients keep them, some don't."""
    for opening, closing in _THOUGHTS:
        said, at = [], 0
        while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start)) >= 0:
            said.append(text[at:start])
            at = end + len(closing)
        text = "".join([*said, text[at:]])
    return text


def _one_form(arguments: str) -> str:
    """Write what a call is told as all clients would: nothing is an empty object, 1.0 is 1."""
    if not arguments.strip():
        return "{}"
    try:
        found = json.loads(arguments, parse_int=_number, parse_float=_number)
        return json.dumps(found, sort_keys=True)
    except (ValueError, RecursionError):
        return arguments


def _number(text: str) -> float:
    return float(text) + 0.0  # which is no -0.0


class Hearer:
    """Reads what a client is told, part by part: its answers, one a choice."""

    def __init__(self, form: str) -> None:
        """Read one dialect: "chat", "message" or "response"."""
        self._read = _READERS[form]
        self._answers: dict[int, Answer] = {}
        self._rest: list[bytes] = []
        """What came of a line, or of a reply in one body."""
        self._size = 0
        """Bytes of that."""
        self._is_whole: bool | None = None
        self._is_odd = False

    def hear(self, said: bytes) -> None:
        """Take the next part, of events or of a reply in one body."""
        if self._is_whole is None and said.strip():
            self._is_whole = said.lstrip()[:1] == b"{"
        if b"\n" in said and not self._is_whole:
            *lines, said = b"".join([*self._rest, said]).split(b"\n")
            self._rest, self._size = [], 0
            for line in lines:
                self._take(line)
        self._rest.append(said)
        self._size += len(said)
        if self._size > MOST_BYTES or self._is_odd:
            self._is_odd = True
            self._rest.clear()

    def answers(self) -> list[Answer]:
        """Return what was said, once all of it came; nothing where it can't be read."""
        rest = b"".join(self._rest)
        self._take(b"data: " + rest if self._is_whole else rest)
        if self._is_odd:
            return []
        return [
            Answer(one.text, [(id, name, _one_form(told)) for id, name, told in one.calls])
            for one in self._answers.values()
            if not one.is_empty
        ]

    def _take(self, line: bytes) -> None:
        if self._is_odd or not line.startswith(b"data: ") or line.strip() == b"data: [DONE]":
            return
        try:
            self._read(_value(line[6:]), self._answers)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError):
            self._is_odd = True  # an upstream may say anything
        self._is_odd |= sum(one.size for one in self._answers.values()) > MOST_BYTES


def _value(said: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _of_chat(value: Mapping[str, Any], answers: Answers) -> None:
    for choice in value.get("choices") or ():
        index = choice.get("index") or 0
        if index not in answers and len(answers) >= _MOST_CHOICES:
            continue
        answer = answers.setdefault(index, Answer())
        told = choice.get("delta") or choice.get("message") or {}
        answer.say(told.get("content") or "")
        for place, call in enumerate(told.get("tool_calls") or ()):
            of = call.get("function") or call.get("custom") or {}
            asked = of.get("arguments") or of.get("input") or ""
            named = (call.get("id") or "", of.get("name") or "", asked)
            answer.call(call.get("index", place), *named)


def _of_messages(value: Mapping[str, Any], answers: Answers) -> None:
    answer = answers.setdefault(0, Answer())
    if value.get("type") == "message":
        for block in value.get("content") or ():
            _block(block, answer)
    elif value.get("type") == "content_block_start":
        _block(value["content_block"], answer)
    elif value.get("type") == "content_block_delta":
        delta = value["delta"]
        answer.say(delta.get("text") or "")
        if "partial_json" in delta:
            answer.call(len(answer.calls) - 1, "", "", delta["partial_json"] or "")


def _block(block: Mapping[str, Any], answer: Answer) -> None:
    if block.get("type") == "text":
        answer.say(block.get("text") or "")
    elif block.get("type") == "tool_use":
        told = json.dumps(block["input"]) if block.get("input") else ""
        answer.call(len(answer.calls), block["id"], block["name"], told)


def _of_responses(value: Mapping[str, Any], answers: Answers) -> None:
    answer = answers.setdefault(0, Answer())
    ended = ("response.completed", "response.incomplete")
    reply = value.get("response") if value.get("type") in ended else value
    if not isinstance(reply, dict) or reply.get("object") != "response":
        return
    for item in reply.get("output") or ():
        if item.get("type") == "message":
            answer.say("".join(part.get("text") or "" for part in item.get("content") or ()))
        elif item.get("type") in ("function_call", "custom_tool_call"):
            space = item.get("namespace") or ""
            name = f"{space}__{item['name']}" if space else item["name"]
            asked = item.get("arguments") or item.get("input") or ""
            answer.call(len(answer.calls), item["call_id"], name, asked)


_READERS: Mapping[str, Callable[[Mapping[str, Any], Answers], None]] = {
    "chat": _of_chat,
    "message": _of_messages,
    "response": _of_responses,
}
