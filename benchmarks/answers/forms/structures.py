"""JSON answers: the value is drawn first and written in every way that means the same."""

# ruff: noqa: E501 - replies stand whole

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Structured:
    """A reply that gives one JSON value.

    Attributes:
        name: how it is written and where it stands.
        text: the reply.
        truth: the value, as plainly as JSON writes it; "" where the reply gives none.
        differs: other values that must not compare equal.
        finished: whether the model ended by itself.
    """

    name: str
    text: str
    truth: str
    differs: tuple[str, ...]
    finished: bool = True


def _value(rng: random.Random) -> dict[str, Any]:
    shapes: list[dict[str, Any]] = [
        {
            "name": rng.choice(("get_weather", "search", "book")),
            "arguments": {
                "city": rng.choice(("Paris", "Zürich", "東京")),
                "days": rng.randint(1, 9),
            },
        },
        {"answer": rng.randint(1, 999), "unit": rng.choice(("km", "kg"))},
        {"items": rng.sample(range(50), 3), "total": rng.randint(1, 99), "ok": rng.random() < 0.5},
        {"id": str(rng.randint(1, 999)), "price": rng.randint(100, 9999) / 100, "note": None},
        {
            "text": rng.choice(
                (
                    'He said "no"',
                    "a } brace",
                    "a { brace",
                    "back\\slash",
                    "two\nlines",
                    "```",
                    "<think>",
                )
            ),
            "n": rng.randint(1, 9),
        },
        {"a": {"b": {"c": [1, {"d": rng.randint(2, 99)}]}}, "e": []},
    ]
    return rng.choice(shapes)


def _near(rng: random.Random, value: dict[str, Any]) -> tuple[str, ...]:
    keys = sorted(value)
    key = rng.choice(keys)
    without = {k: v for k, v in value.items() if k != key}
    near: list[Any] = [
        without,
        {**value, "extra": 1},
        {**value, key: [value[key]]},
        [value],
        {**value, key: "other"},
    ]
    for k, v in value.items():
        if isinstance(v, bool):
            near += [{**value, k: not v}, {**value, k: int(v)}, {**value, k: str(v).lower()}]
        elif isinstance(v, int):
            near += [{**value, k: v + 1}, {**value, k: str(v)}, {**value, k: -v}]
        elif isinstance(v, list) and len(set(map(str, v))) > 1:
            near.append({**value, k: v[::-1]})
        elif v is None:
            near += [{**value, k: ""}, {**value, k: 0}, {**value, k: False}]
    return tuple(json.dumps(other) for other in near)


def _shuffled(rng: random.Random, value: Any) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _shuffled(rng, value[key]) for key in keys}
    return value


# «J» the value on one line, «L» on several, «S» keys shuffled, «U» escaped, «D» another value.
_PLACES: dict[str, str] = {
    "alone": "«J»",
    "lines": "«L»",
    "shuffled": "«S»",
    "escaped": "«U»",
    "tight": "«T»",
    "fence": "```json\n«L»\n```",
    "fence_bare": "```\n«J»\n```",
    "fence_prose": "Here is the result:\n\n```json\n«L»\n```\n\nIt has all the fields you asked for.",
    "fence_capitals": "```JSON\n«S»\n```",
    "prose_before": "The result is:\n«J»",
    "prose_same_line": "Here you go: «J»",
    "prose_after": "«J»\n\nLet me know if you need anything else.",
    "mark": "I looked it up.\nAnswer: «J»",
    "mark_lines": "Answer:\n«L»",
    "mark_fence": "**Answer:**\n\n```json\n«L»\n```",
    "tag": "<answer>«J»</answer>",
    "tag_lines": "<answer>\n«L»\n</answer>",
    "tool_call": "<tool_call>\n«J»\n</tool_call>",
    "thought": "<think>\nMaybe «D»?\n</think>\n«J»",
    "thought_fence": "<think>\n```json\n«D»\n```\n</think>\n\n```json\n«L»\n```",
    "draft": "First draft:\n```json\n«D»\n```\nThat is wrong. Corrected:\n```json\n«J»\n```",
    "im_end": "«J»<|im_end|>",
    "return": "«J»\r\n",
    "braces_in_prose": "The set {1, 2} does not matter here.\n\n```json\n«J»\n```",
    "inline_code": "Answer: `«I»`",
}
_NONE: dict[str, tuple[str, bool]] = {
    "cut": ('{"name": "search", "arguments": {"q": "a', False),
    "cut_fence": ('```json\n{"items": [1, 2,', False),
    "cut_finished": ('{"items": [1, 2, 3], "total": ', True),
    "prose": ("I could not find anything.", True),
    "broken": ('{"a": 1, "b" 2}', True),
    "thought_only": ('<think>{"a": 1}</think>', True),
    "thought_open": ('<think>{"a": 1}', False),
    "empty": ("", True),
    "set_not_json": ("The set is {x, y, z}.", True),
}


def structures(rng: random.Random, each: int) -> list[Structured]:
    """Draw replies that give a JSON value, and some that give none."""
    replies = []
    for place, pattern in _PLACES.items():
        for _ in range(each):
            value = _value(rng)
            while place == "inline_code" and "`" in json.dumps(value):
                value = _value(rng)
            differs = _near(rng, value)
            one = json.dumps(value, ensure_ascii=False)
            written = {
                "«J»": one,
                "«L»": json.dumps(value, indent=2, ensure_ascii=False),
                "«S»": json.dumps(_shuffled(rng, value), ensure_ascii=False),
                "«U»": json.dumps(value, ensure_ascii=True),
                "«T»": json.dumps(value, separators=(",", ":"), ensure_ascii=False),
                "«I»": one,
                "«D»": differs[1],
            }
            text = pattern
            for mark, part in written.items():
                text = text.replace(mark, part)
            replies.append(Structured(f"json.{place}", text, json.dumps(value), differs))
    for name, (text, finished) in _NONE.items():
        replies += [Structured(f"json.none.{name}", text, "", (), finished)] * max(1, each // 3)
    return replies
