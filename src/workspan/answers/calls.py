"""Tool calls in the tags of their makers, as JSON: a name and its arguments, or a list of them.

Formats: Hermes and Qwen (``<tool_call>`` around JSON), Qwen3-Coder (``<function=f>`` with
parameters in tags), GLM (``<arg_key>`` and ``<arg_value>``), Llama (``<|python_tag|>``), Mistral
(``[TOOL_CALLS]``), DeepSeek and Kimi (marks of their own before name and arguments); as the chat
templates in the models' repositories write them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from workspan.answers.said import Found, Said

_CALLS = 64
_TAGS = ("tool_call", "toolcall", "function_call", "tool")
_LISTED = re.compile(r"\[TOOL_CALLS\]\s*|<\|python_tag\|>\s*")
_FUNCTION = re.compile(r"<function=([\w.-]{1,200})>")
_PARAMETER = re.compile(r"\s*<parameter=([\w.-]{1,200})>(.{0,20000}?)</parameter>", re.DOTALL)
_NAMED = re.compile(r"\s*([\w.-]{1,200})[ \t]*(?=\n|<arg_key>|\Z)")
_ARGUMENT = re.compile(
    r"\s*<arg_key>([^<>\n]{1,200})</arg_key>\s*<arg_value>(.{0,20000}?)</arg_value>", re.DOTALL
)
_MARKED = re.compile(
    r"<\|tool▁call▁begin\|>(?:function<\|tool▁sep\|>)?([\w.-]{1,200})"
    r"(?:<\|tool▁sep\|>|\s*```json\s)"
    r"|<\|tool_call_begin\|>\s*(?:functions\.)?([\w.-]{1,200}?)(?::[0-9]{1,4})?\s*"
    r"<\|tool_call_argument_begin\|>"
)
_MARK_ENDS = re.compile(r"(?:\s*```)?\s*<\|tool[▁_]call[▁_]end\|>")

Value = Callable[[Said, int, int, str], Found | None]
"""Reads a value that fills the text between two places."""
Longest = Callable[[Said, int, str], Found | None]
"""Reads the value that starts at a place."""


def calls(said: Said, value: Value, longest: Longest) -> Found | None:
    """Read the calls of a reply; several are a list. One that can't be read makes them none.

    Args:
        said: the reply.
        value: reads JSON that fills a part of it.
        longest: reads JSON from a place on.
    """
    text = said.text
    if "<" not in text and "[TOOL_CALLS]" not in text:
        return None
    for tag in _TAGS:
        if places := _between(said.low, f"<{tag}>", f"</{tag}>"):
            return _joined(
                [value(said, *at, "tool call") or _in_tags(said, *at, value) for at in places]
            )
    if places := _between(said.low, "<function=", "</function>"):
        return _joined([_in_tags(said, at - len("<function="), end, value) for at, end in places])
    if marked := [*_MARKED.finditer(said.plain)][:_CALLS]:
        return _joined([_after_mark(said, mark, longest) for mark in marked])
    listed = _LISTED.search(text)
    return longest(said, listed.end(), "tool call") if listed else None


def _between(low: str, opening: str, closing: str) -> list[tuple[int, int]]:
    """Return what stands between tags; an opening one without its closing one ends the search."""
    places: list[tuple[int, int]] = []
    at = low.find(opening)
    while at >= 0 and len(places) < _CALLS:
        start = at + len(opening)
        end = low.find(closing, start)
        if end < 0:
            break
        places.append((start, end))
        at = low.find(opening, end)
    return places


def _in_tags(said: Said, start: int, end: int, value: Value) -> Found | None:
    """Read a call whose name or arguments stand in tags of their own."""
    text = said.text
    start += len(text[start:end]) - len(text[start:end].lstrip())
    if function := _FUNCTION.match(text, start, end):
        inside = value(said, function.end(), end, "tool call")
        if inside is not None:
            is_object = inside.answer.startswith("{")
            return _call(function[1], inside.answer, start, end) if is_object else None
        closed = text.find("</function>", function.end(), end)
        stop = closed if closed >= 0 else end
        arguments = _arguments(said, _PARAMETER, function.end(), stop, value)
        return None if arguments is None else _call(function[1], arguments, start, end)
    named = _NAMED.match(text, start, end)
    if named is None:
        return None
    arguments = _arguments(said, _ARGUMENT, named.end(), end, value)
    return None if arguments is None else _call(named[1], arguments, start, end)


def _arguments(said: Said, pattern: re.Pattern[str], at: int, end: int, value: Value) -> str | None:
    """Read arguments in tags as an object: each is JSON where it is some, else its text."""
    members: dict[str, str] = {}
    while found := pattern.match(said.text, at, end):
        name = found[1].strip()
        if name in members:
            return None
        inside = value(said, *found.span(2), "argument")
        content = found[2].strip("\n")
        members[name] = inside.answer if inside else json.dumps(content, ensure_ascii=False)
        at = found.end()
    if said.text[at:end].strip():
        return None
    return "{" + ", ".join(f"{json.dumps(name)}: {one}" for name, one in members.items()) + "}"


def _after_mark(said: Said, mark: re.Match[str], longest: Longest) -> Found | None:
    inside = longest(said, mark.end(), "tool call")
    if inside is None or not _MARK_ENDS.match(said.plain, inside.end):
        return None
    return _call(mark[1] or mark[2], inside.answer, mark.start(), inside.end)


def _call(name: str, arguments: str, start: int, end: int) -> Found:
    answer = f'{{"name": {json.dumps(name)}, "arguments": {arguments}}}'
    return Found(answer, start, end, "tool call")


def _joined(made: list[Found | None]) -> Found | None:
    """Return one call, or several as a list; none if one of them can't be read."""
    read_ones = [call for call in made if call is not None]
    if len(read_ones) < len(made):
        return None
    if len(read_ones) == 1:
        return read_ones[0]
    answer = "[" + ", ".join(call.answer for call in read_ones) + "]"
    return Found(answer, read_ones[0].start, read_ones[-1].end, "tool calls")
