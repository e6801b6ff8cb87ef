"""A turn of a conversation as an answer: calls by their value, structured output as a whole.

Calls that ask for the same are written the same: names with arguments parsed, fields in order of
their names, numbers by value, several calls as a set. What a program could not act on is no answer:
arguments that are no JSON object or do not fit the tool's schema, a tool that nobody told of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from workspan.answers import structured
from workspan.answers.schema import Schema
from workspan.content import JsonObject, ToolCall, ToolSpec
from workspan.errors import InputError

_PLAIN = 18
"""Digits of a whole number that is written out."""


def calls_said(calls: Sequence[ToolCall], tools: Sequence[ToolSpec] = ()) -> str | None:
    """Write what calls ask for; None where there are none, or one can't be acted on.

    Args:
        calls: of one turn, in any order.
        tools: that the model was told of; any call goes where it is not known.
    """
    known = {tool.name: tool for tool in tools}
    said = [_said(call, known) for call in calls]
    if not said or None in said:
        return None
    return f"[{', '.join(sorted(filter(None, said)))}]"


def formed(text: str, form: JsonObject) -> str | None:
    """Return structured output as an answer; None where it is not what was asked for.

    Args:
        text: all that was said: a program reads it whole.
        form: the field `response_format`, as the wire has it.
    """
    schema = schema_of(form)
    try:
        value = structured.value_of(text)
    except ValueError:
        return None
    return text.strip() if schema is None or schema.fits(value) else None


def schema_of(form: JsonObject) -> Schema | None:
    """Return the schema that a `response_format` holds an answer to.

    None where it has none, or one with keywords that are not understood: then any JSON goes.
    """
    return _kept_of_form(form) if len(form.text) < _LONGEST_KEPT else _of_form(form)


def _of_form(form: JsonObject) -> Schema | None:
    told = form.value
    kind = told.get("type")
    if kind == "json_object":
        return Schema({"type": "object"})
    inner = told.get(str(kind))
    return _checked(inner.get("schema")) if isinstance(inner, dict) else None


def _checked(schema: Any) -> Schema | None:
    try:
        return Schema(schema) if isinstance(schema, Mapping) else None
    except InputError:
        return None


def _schema_of_tool(tool: ToolSpec) -> Schema | None:
    return _kept_of_tool(tool) if len(tool.fields.text) < _LONGEST_KEPT else _of_tool(tool)


def _of_tool(tool: ToolSpec) -> Schema | None:
    told = tool.fields.value
    inner = told.get(str(told.get("type", "")), told)
    return _checked(inner.get("parameters")) if isinstance(inner, dict) else None


_LONGEST_KEPT = 16_384
"""Characters of a schema that is kept for the next draft: clients send what they like."""
_kept_of_form = lru_cache(maxsize=256)(_of_form)
_kept_of_tool = lru_cache(maxsize=512)(_of_tool)


def _said(call: ToolCall, known: Mapping[str, ToolSpec]) -> str | None:
    if known and call.name not in known:
        return None
    if call.kind == "custom":
        return _written({"name": call.name, "input": call.arguments})
    try:
        arguments = structured.value_of(call.arguments) if call.arguments.strip() else {}
    except ValueError:
        return None
    if not isinstance(arguments, dict):
        return None
    schema = _schema_of_tool(known[call.name]) if known else None
    if schema is not None and not schema.fits(arguments):
        return None
    return _written({"name": call.name, "arguments": arguments})


def _written(value: Any) -> str:
    """Write a value so that equal ones are written the same."""
    return structured.written(_ordered(value))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        first = {name: value[name] for name in ("name",) if name in value}
        return first | {name: _ordered(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_ordered(one) for one in value]
    return _number(value) if isinstance(value, Decimal) else value


def _number(value: Decimal) -> Decimal | int:
    """Write equal numbers the same, all their digits kept: arithmetic would round them."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    kept = "".join(map(str, digits)).rstrip("0")
    exponent += len(digits) - len(kept)
    if 0 <= exponent <= _PLAIN - len(kept) or not kept:
        return int(f"{'-' * sign}{kept or 0}{'0' * exponent if kept else ''}")
    return Decimal((sign, tuple(map(int, kept)), exponent))
