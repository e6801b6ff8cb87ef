"""The part of JSON Schema that answers are held to: a check before a reading counts.

What a schema says beyond it is refused when it is given, so that no keyword is passed over in
silence. Annotations (title, description, default, examples, format) hold nobody to anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from workspan.answers.words import listed
from workspan.errors import InputError, nearest
from workspan.legible import quoted

_ANNOTATIONS = listed(
    "$schema $id $comment $anchor title description default examples format deprecated readOnly"
    " writeOnly strict $defs definitions contentEncoding contentMediaType"
)
_DEEPEST = 64
_STEPS = 100_000


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    if not _is_number(value):
        return False
    _, digits, exponent = Decimal(str(value)).as_tuple()
    return isinstance(exponent, int) and not any(digits[len(digits) + min(0, exponent) :])


_TYPES: Mapping[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


class Schema:
    """A schema that was checked to say nothing that is not understood."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        """Check a schema.

        Raises:
            InputError: a keyword is not known here, or its value is of the wrong sort.
        """
        self._source = source
        self._steps = 0
        self._check(source, "schema", 0)

    def fits(self, value: object) -> bool:
        """Say whether a value is as the schema has it.

        One that takes more than a hundred thousand steps to tell is not, as where a schema names
        itself twice.
        """
        self._steps = 0
        return self._fits(value, self._source, 0) and self._steps <= _STEPS

    def _check(self, schema: object, path: str, depth: int) -> None:
        if isinstance(schema, bool):
            return
        if not isinstance(schema, Mapping):
            raise InputError(f"{path} must be an object or a truth value, not {schema!r}")
        if depth > _DEEPEST:
            raise InputError(f"{path} is nested too deeply")
        for word, value in schema.items():
            if word in _ANNOTATIONS:
                if word in ("$defs", "definitions"):
                    self._check_all(value, f"{path}.{word}", depth)
            elif word not in _RULES and word not in ("then", "else"):
                hint = nearest(word, [*_RULES, *_ANNOTATIONS])
                raise InputError(f"{path} has a keyword that is not understood: {word!r}: {hint}")
            else:
                self._check_word(word, value, path, depth)

    def _check_word(self, word: str, value: Any, path: str, depth: int) -> None:
        if word in _VALUES and not _VALUES[word](value):
            raise InputError(f"{path}.{word} can't be {quoted(value)}")
        if word == "$ref":
            self._resolved(value)
        elif word == "type":
            self._check_type(value, path)
        elif word in _INNER:
            self._check(value, f"{path}.{word}", depth + 1)
        elif word == "properties":
            self._check_all(value, f"{path}.{word}", depth)
        elif word in ("anyOf", "oneOf", "allOf", "prefixItems"):
            if not isinstance(value, list) or not value:
                raise InputError(f"{path}.{word} must be a list of schemas")
            for i, one in enumerate(value):
                self._check(one, f"{path}.{word}[{i}]", depth + 1)

    def _check_all(self, schemas: object, path: str, depth: int) -> None:
        if not isinstance(schemas, Mapping):
            raise InputError(f"{path} must be an object of schemas")
        for name, one in schemas.items():
            self._check(one, f"{path}.{name}", depth + 1)

    def _check_type(self, value: object, path: str) -> None:
        for name in value if isinstance(value, list) else [value]:
            if not isinstance(name, str) or name not in _TYPES:
                raise InputError(f"{path}.type is {name!r}: {nearest(str(name), _TYPES)}")

    def _resolved(self, reference: object) -> Any:
        """Return what ``#/$defs/name`` points to."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise InputError(
                f"$ref must point into the schema itself, like #/$defs/a: {reference!r}"
            )
        at: Any = self._source
        for name in reference.lstrip("#").strip("/").split("/") if reference != "#" else ():
            name = name.replace("~1", "/").replace("~0", "~")
            if not isinstance(at, Mapping) or name not in at:
                raise InputError(f"$ref {reference!r} points to nothing")
            at = at[name]
        return at

    def _fits(self, value: object, schema: Any, depth: int) -> bool:
        if isinstance(schema, bool):
            return schema
        self._steps += 1
        if depth > _DEEPEST or self._steps > _STEPS:
            return False
        return all(
            _RULES[word](self, value, rule, schema, depth + 1)
            for word, rule in schema.items()
            if word in _RULES
        )


def same(a: object, b: object) -> bool:
    """Compare two JSON values: 1 is 1.0, and true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if _is_number(a) and _is_number(b):
        return bool(a == b)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


_Rule = Callable[[Schema, Any, Any, Mapping[str, Any], int], bool]
_INNER = ("items", "additionalProperties", "not", "contains", "if", "then", "else", "propertyNames")


def _type(_: Schema, value: Any, rule: Any, __: Mapping[str, Any], ___: int) -> bool:
    return any(_TYPES[name](value) for name in (rule if isinstance(rule, list) else [rule]))


def _properties(self: Schema, value: Any, rule: Any, _: Mapping[str, Any], depth: int) -> bool:
    if not isinstance(value, Mapping):
        return True
    return all(self._fits(value[name], one, depth) for name, one in rule.items() if name in value)


def _additional(self: Schema, value: Any, rule: Any, schema: Mapping[str, Any], depth: int) -> bool:
    if not isinstance(value, Mapping):
        return True
    rest = [name for name in value if name not in schema.get("properties", {})]
    return all(self._fits(value[name], rule, depth) for name in rest)


def _items(self: Schema, value: Any, rule: Any, schema: Mapping[str, Any], depth: int) -> bool:
    if not isinstance(value, list):
        return True
    return all(self._fits(one, rule, depth) for one in value[len(schema.get("prefixItems", ())) :])


def _prefix(self: Schema, value: Any, rule: Any, _: Mapping[str, Any], depth: int) -> bool:
    if not isinstance(value, list):
        return True
    return all(self._fits(one, inner, depth) for one, inner in zip(value, rule, strict=False))


def _contains(self: Schema, value: Any, rule: Any, _: Mapping[str, Any], depth: int) -> bool:
    return not isinstance(value, list) or any(self._fits(one, rule, depth) for one in value)


def _names(self: Schema, value: Any, rule: Any, _: Mapping[str, Any], depth: int) -> bool:
    return not isinstance(value, Mapping) or all(self._fits(name, rule, depth) for name in value)


def _unique(_: Schema, value: Any, rule: Any, __: Mapping[str, Any], ___: int) -> bool:
    if not rule or not isinstance(value, list):
        return True
    return not any(same(one, other) for i, one in enumerate(value) for other in value[:i])


def _condition(self: Schema, value: Any, rule: Any, schema: Mapping[str, Any], depth: int) -> bool:
    branch = "then" if self._fits(value, rule, depth) else "else"
    return self._fits(value, schema.get(branch, True), depth)


def _bound(compare: Callable[[Any, Any], bool], measure: Any = None) -> _Rule:
    """Make the rule of a limit on a number, or on the length of a text, list or object."""

    def rule(_: Schema, value: Any, limit: Any, __: Mapping[str, Any], ___: int) -> bool:
        if measure is None:
            return not _is_number(value) or compare(Decimal(str(value)), Decimal(str(limit)))
        return not isinstance(value, measure) or compare(len(value), limit)

    return rule


def _most(a: Any, b: Any) -> bool:
    return bool(a <= b)


def _least(a: Any, b: Any) -> bool:
    return bool(a >= b)


def _is_multiple(a: Decimal, b: Decimal) -> bool:
    try:
        return b != 0 and a % b == 0
    except ArithmeticError:  # of so many digits that nobody can tell
        return False


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_LENGTHS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_VALUES: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(_LENGTHS, lambda value: _is_integer(value)),
    **dict.fromkeys(_BOUNDS, lambda value: _is_number(value)),
    "enum": lambda value: isinstance(value, list),
    "required": _is_names,
    "uniqueItems": lambda value: isinstance(value, bool),
}
"""What a keyword's own value must be."""


_RULES: Mapping[str, _Rule] = {
    "type": _type,
    "enum": lambda _, value, rule, __, ___: any(same(value, one) for one in rule),
    "const": lambda _, value, rule, __, ___: same(value, rule),
    "properties": _properties,
    "required": lambda _, value, rule, __, ___: (
        not isinstance(value, Mapping) or all(name in value for name in rule)
    ),
    "additionalProperties": _additional,
    "propertyNames": _names,
    "items": _items,
    "prefixItems": _prefix,
    "contains": _contains,
    "uniqueItems": _unique,
    "minItems": _bound(_least, list),
    "maxItems": _bound(_most, list),
    "minLength": _bound(_least, str),
    "maxLength": _bound(_most, str),
    "minProperties": _bound(_least, dict),
    "maxProperties": _bound(_most, dict),
    "minimum": _bound(_least),
    "maximum": _bound(_most),
    "exclusiveMinimum": _bound(lambda a, b: bool(a > b)),
    "exclusiveMaximum": _bound(lambda a, b: bool(a < b)),
    "multipleOf": _bound(_is_multiple),
    "anyOf": lambda self, value, rule, _, depth: any(self._fits(value, one, depth) for one in rule),
    "oneOf": lambda self, value, rule, _, depth: (
        sum(self._fits(value, one, depth) for one in rule) == 1
    ),
    "allOf": lambda self, value, rule, _, depth: all(self._fits(value, one, depth) for one in rule),
    "not": lambda self, value, rule, _, depth: not self._fits(value, rule, depth),
    "if": _condition,
    "$ref": lambda self, value, rule, _, depth: self._fits(value, self._resolved(rule), depth),
}


def members(values: Sequence[object]) -> list[str]:
    """Return the names that objects have, in the order in which they come."""
    return [*dict.fromkeys(name for value in values if isinstance(value, dict) for name in value)]
