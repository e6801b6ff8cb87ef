"""What the user states about an engine: how to ask its server, and the key it is given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from workspan.boundary.secret import key_in
from workspan.errors import InputError, SpecError, nearest
from workspan.legible import quoted

_NAMED = re.compile(r"([A-Za-z][\w.-]*)=(.*)", re.DOTALL)

Read: TypeAlias = Callable[[str], Any]


def _truth(text: str) -> bool:
    told = {"true": True, "yes": True, "false": False, "no": False}.get(text.lower())
    if told is None:
        raise ValueError("true or false")
    return told


def _number(text: str) -> int:
    try:
        return int(text.replace("_", ""))
    except ValueError:
        raise ValueError("a whole number") from None


def _count(text: str) -> int:
    value = _number(text)
    if value < 1:
        raise ValueError("a whole number, 1 or more")
    return value


def _seconds(text: str) -> float:
    try:
        return float(text.removesuffix("s"))
    except ValueError:
        raise ValueError("seconds, such as 60") from None


def _form(text: str) -> str:
    if text not in ("chat", "completion"):
        raise ValueError("chat or completion")
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("JSON: a text needs its quotes, as in body.tier='\"flex\"'") from None


_ALL: Mapping[str, tuple[str, Read]] = {
    "concurrency": ("concurrency", _count),
    "timeout.connect": ("timeouts.connect", _seconds),
    "timeout.first_token": ("timeouts.first_token", _seconds),
    "timeout.between_chunks": ("timeouts.between_chunks", _seconds),
    "retries.attempts": ("retries.attempts", _count),
    "retries.seconds": ("retries.seconds", _seconds),
}
"""The engines' names of what any server may be told."""

_COMPLETING: Mapping[str, tuple[str, Read]] = {
    **_ALL,
    "prefill": ("prefill", _truth),
    "form": ("form", _form),
    "seed": ("sends_seed", _truth),
    "stream": ("streams", _truth),
    "context": ("context", _count),
    "effort": ("reasoning_effort", str),
    "effort_field": ("effort_field", str),
    "n_per_request": ("n_per_request", _count),
    "overshoot": ("overshoot", _number),
    "media_tokens": ("media_tokens", _number),
    "caches": ("caches", _number),
    "thinking_cap": ("thinking_cap", str),
    "continuous_usage": ("continuous_usage", _truth),
    "key_header": ("key_header", str),
    "header.": ("headers.", str),
    "body.": ("extra_body.", _json),
}
"""And of what one that completes texts may."""


_DRAWN = frozenset({"form", "seed", "effort", "effort_field"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What was stated about one engine."""

    stated: Mapping[str, str] = field(default_factory=dict)
    """Values as typed, by their keys."""
    key: str | None = field(default=None, repr=False)
    """The API key; "" is none, None the environment's."""

    @property
    def drawn(self) -> str:
        """What of it changes the answers: part of a journal's identity."""
        told = [
            f"{name}={value}"
            for name, value in sorted(self.stated.items())
            if name in _DRAWN or name.startswith("body.")
        ]
        return f" ({', '.join(told)})" if told else ""

    def for_completions(self) -> dict[str, Any]:
        """Read them for an endpoint."""
        return self._read(_COMPLETING)

    def for_scores(self) -> dict[str, Any]:
        """Read them for a reward model."""
        return self._read(_ALL)

    def with_defaults(self, **values: str) -> Settings:
        """Return them with values for what was not stated; `__` stands for a dot."""
        told = {name.replace("__", "."): value for name, value in values.items()}
        return replace(self, stated={**told, **self.stated})

    def refuse(self, engine: str) -> None:
        """Say that an engine that is no server takes none.

        Raises:
            SpecError: something was stated.
        """
        if self.stated or self.key:
            what = next(iter(self.stated), "a key")
            raise SpecError(f"{engine} is no server: {what} can't be set for it")

    def _read(self, known: Mapping[str, tuple[str, Read]]) -> dict[str, Any]:
        from workspan.engines.endpoint import Retries, Timeouts

        found: dict[str, Any] = {} if self.key is None else {"api_key": self.key}
        parts: dict[str, dict[str, Any]] = {}
        for name, text in self.stated.items():
            whole, value = _read_one(name, text, known)
            group, _, inner = whole.partition(".")
            if inner:
                parts.setdefault(group, {})[inner] = value
            else:
                found[group] = value
        makers: dict[str, Callable[..., Any]] = {"timeouts": Timeouts, "retries": Retries}
        return found | {group: makers.get(group, dict)(**inner) for group, inner in parts.items()}


def _read_one(name: str, text: str, known: Mapping[str, tuple[str, Read]]) -> tuple[str, Any]:
    prefix, dot, rest = name.partition(".")
    target, read = known.get(name, ("", str))
    if not target and rest:
        target, read = known.get(prefix + dot, ("", str))
        target = target + rest if target else ""
    if not target:
        names = [entry + "…" if entry.endswith(".") else entry for entry in known]
        raise SpecError(f"{name}: an engine has no such setting: {nearest(name, names)}")
    if not text.strip():
        raise SpecError(f"the setting {name} has no value: give it one, or leave it out")
    try:
        return target, read(text)
    except ValueError as error:
        raise SpecError(f"the setting {name} is {text}: must be {error}") from None


def named(option: str, values: Sequence[str] | None) -> dict[str, str]:
    """Tell ``NAME=VALUE`` from the one value without a name, whose name is empty.

    Raises:
        SpecError: a name is given twice, or stands for nothing.
    """
    found: dict[str, str] = {}
    for value in values or ():
        named = _NAMED.fullmatch(value)
        name, rest = (named[1], named[2]) if named else ("", value)
        if name in found:
            again = f"{name!r} is given twice" if name else "a second one without a name"
            raise SpecError(f"{option} {quoted(value)}: {again}: give each a name, {option} NAME=…")
        if not rest.strip():
            raise SpecError(f"{option} {quoted(value)}: nothing is named")
        found[name] = rest
    return found


def read_settings(
    settings: Sequence[str] | None, keys: Sequence[str] | None, engines: Mapping[str, str]
) -> dict[str, Settings]:
    """Sort what was stated by the engines, whose texts are given by name; "" is the run's own.

    Raises:
        SpecError: no such engine, a value without a key, something stated twice, no such variable.
    """
    stated: dict[str, dict[str, str]] = {name: {} for name in engines}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise SpecError(f"--set {name}: write KEY=VALUE, such as prefill=true")
        first, dot, rest = name.partition(".")
        owner, inner = (first, rest) if dot and first and first in engines else ("", name)
        if not value.strip():
            raise SpecError(f"--set {name}= has no value: give it one, or leave it out")
        if inner in stated[owner]:
            raise SpecError(f"--set {name} is given twice")
        stated[owner][inner] = value
    named = _keys(keys, engines)
    return {
        name: Settings(stated[name], named.get(name, _key_unless_told(name, engines)))
        for name in engines
    }


def _keys(keys: Sequence[str] | None, engines: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in keys or ():
        name, equals, variable = key.rpartition("=")
        if name not in engines:
            raise SpecError(f"--api-key-env: no engine is named {name!r}: add --engine {name}=…")
        if name in found:
            raise SpecError(f"--api-key-env {name + equals}… is given twice")
        try:
            found[name] = key_in(variable)
        except InputError as error:
            raise SpecError(f"--api-key-env: {error}") from None
    return found


def _key_unless_told(name: str, engines: Mapping[str, str]) -> str | None:
    """Return None, the environment's key, for one server only: the run's own, or the only one."""
    servers = {other: server for other, text in engines.items() if (server := _server(text))}
    own = servers.get("")
    if not name or own == servers.get(name) or (own is None and len(set(servers.values())) == 1):
        return None
    return ""


def _server(text: str) -> tuple[str, str] | None:
    """Return scheme, host and port of an engine's address."""
    at = text.find("http://") if "http://" in text else text.find("https://")
    if at < 0:
        return None
    try:
        parts = urlsplit(text[at:])
    except ValueError:  # refused with a word where it is opened
        return None
    return parts.scheme, parts.netloc
