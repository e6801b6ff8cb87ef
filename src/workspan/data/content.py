"""What a message holds beside plain text: parts, calls of tools, and JSON that is only carried.

Nothing here is fetched, opened or run: an address stays an address.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from workspan.errors import InputError


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class JsonObject(Mapping[str, Any]):
    """A JSON object that is passed on as it came: immutable, hashable, its fields in their order.

    Two are equal if they are written the same. What is looked up is a copy.
    """

    text: str = "{}"

    def __post_init__(self) -> None:
        """Refuse a text that is no JSON object.

        Raises:
            ValueError: it is none.
        """
        if self.text != "{}" and not isinstance(json.loads(self.text), dict):
            raise ValueError("not a JSON object")

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> JsonObject:
        """Keep an object's fields.

        Raises:
            InputError: something in it is no JSON.
        """
        if isinstance(value, JsonObject):
            return value
        try:
            text = json.dumps(
                dict(value),
                ensure_ascii=False,
                allow_nan=False,
                separators=(",", ":"),
                default=_mapping,
            )
            text.encode()
            return cls(text)
        except (TypeError, ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise InputError(f"a field holds what JSON can't: {why}") from None

    @property
    def value(self) -> dict[str, Any]:
        """The object itself, a copy of one's own."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    def __getitem__(self, name: str) -> Any:
        return self.value[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.value)

    def __len__(self) -> int:
        return 0 if self.text == "{}" else len(self.value)

    def __bool__(self) -> bool:
        return self.text != "{}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, JsonObject):
            return self.text == other.text
        return self.value == other if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"JsonObject.of({self.value!r})"


def _mapping(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__}")


NO_FIELDS = JsonObject()


@dataclass(frozen=True, slots=True)
class Text:
    """A part of a message that is text."""

    text: str
    extra: JsonObject = NO_FIELDS
    """Further fields of the part, such as a provider's mark for its cache."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A part in which a model said that it would not answer."""

    text: str
    extra: JsonObject = NO_FIELDS


MediaKind: TypeAlias = Literal["image", "audio", "video", "file"]


@dataclass(frozen=True, slots=True)
class Media:
    """A part that is no text, by address or by its data."""

    kind: MediaKind
    address: str | None = None
    """An URL, ``data:`` ones included, or the id under which a provider keeps it. Never fetched."""
    data: str | None = None
    """Its bytes in base64."""
    format: str | None = None
    """Such as "image/png" or, for sound, "wav"."""
    name: str | None = None
    """Of a file."""
    detail: str | None = None
    """How closely an image is to be looked at, as OpenAI has it: "low", "high", "auto"."""
    extra: JsonObject = NO_FIELDS

    @classmethod
    def of(cls, kind: MediaKind, content: bytes, format: str, name: str | None = None) -> Media:
        """Carry bytes."""
        return cls(kind, data=base64.b64encode(content).decode(), format=format, name=name)


@dataclass(frozen=True, slots=True)
class Other:
    """A part of a kind that is not known here, passed on as it came."""

    fields: JsonObject


Part: TypeAlias = Text | Refusal | Media | Other
Content: TypeAlias = str | tuple[Part, ...] | None
"""None where a message has none, as one that only calls tools."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish that a tool be called. Nobody here calls it."""

    id: str
    """The model's own; empty where it gave none."""
    name: str
    arguments: str
    """As the model wrote them: JSON for a function, any text for others. Untrusted."""
    kind: str = "function"
    """Or "custom"; empty where it was not said."""
    extra: JsonObject = NO_FIELDS
    """Further fields, such as a provider's signature of the thought behind the call."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that a model is told of, as the wire has it."""

    fields: JsonObject

    @classmethod
    def function(
        cls,
        name: str,
        description: str = "",
        parameters: Mapping[str, Any] | None = None,
        *,
        strict: bool | None = None,
    ) -> ToolSpec:
        """Describe a function.

        Args:
            name: of letters, digits, low lines and dashes.
            description: what it does, for the model.
            parameters: a JSON schema of its arguments; None takes none.
            strict: arguments must fit the schema; None leaves that to the server.

        Raises:
            InputError: the schema is no JSON.
        """
        told: dict[str, Any] = {"name": name}
        if description:
            told["description"] = description
        if parameters is not None:
            told["parameters"] = parameters
        if strict is not None:
            told["strict"] = strict
        return cls(JsonObject.of({"type": "function", "function": told}))

    @property
    def name(self) -> str:
        """What the model calls it by; empty where the wire does not say."""
        told = self.fields.value
        inner = told.get(str(told.get("type", "")))
        found = inner.get("name") if isinstance(inner, dict) else told.get("name")
        return found if isinstance(found, str) else ""
