"""How tests and the program under test talk: plain data by value, anything else by reference.

Runs within the walls, on both sides, with nothing but the standard library. What comes from the
other side is read as data: no name in it is imported, nothing in it is run.

A list, a dictionary, a set or a bytearray that is passed to a call may be changed by it: each
call's reply brings back what became of them. Data is written as JSON; what JSON lacks is a list
that begins with a tag.
"""

from __future__ import annotations

import builtins
import datetime
import json
import socket
import sys
from abc import ABC, abstractmethod
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

LONGEST = 64 << 20
"""Bytes of one message."""

_PLAIN_TYPES = (
    *(bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range),
    *(slice, object, type(None)),
)
_NAMED = {kind.__name__: kind for kind in _PLAIN_TYPES} | {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}
"""Classes that both sides have: to call one does nothing but make such a value."""
_NAMES = {kind: name for name, kind in _NAMED.items()}
_SINGLE = {"Ellipsis": ..., "NotImplemented": NotImplemented}
_DICTS = {"d": dict, "do": OrderedDict, "dc": Counter}
_TIMES = {kind.__name__: kind for kind in (datetime.date, datetime.time, datetime.datetime)}


class Closed(Exception):
    """The other side has ended."""


class Remote:
    """Base of what stands for an object of the other side."""

    __slots__ = ("_ref",)
    _ref: int


class Peer(ABC):
    """One end: asks, answers what it is asked meanwhile, and keeps what the other side may name."""

    def __init__(self, descriptor: int) -> None:
        self.stream = socket.socket(fileno=descriptor)
        self.given: list[Any] = []
        self._numbers: dict[int, int] = {}

    @abstractmethod
    def perform(self, verb: str, *arguments: Any) -> Any:
        """Do what the other side asks for."""

    @abstractmethod
    def by_value(self, thing: Any) -> list[Any] | None:
        """Write what only this side sends by value; None for what goes by reference."""

    @abstractmethod
    def describe(self, thing: Any) -> list[Any]:
        """Write what the other side should know of an object that goes by reference."""

    def printed(self) -> str:
        """Return what was printed here since the last reply, for tests that look at it."""
        return ""

    @abstractmethod
    def adopt(self, number: int, told: list[Any]) -> Any:
        """Make what stands for an object of the other side."""

    def special(self, tag: str, rest: list[Any]) -> Any:  # noqa: ARG002
        """Read what only the other side sends by value."""
        raise ValueError(f"unknown tag {tag!r}")

    def ask(self, *request: Any) -> Any:
        """Ask the other side and wait; raises what it raised there, or `Closed`."""
        known: dict[int, int] = {}
        sent: list[Any] = []
        self.send(["?", self.encode(request, known, sent)])
        while True:
            kind, body = self.receive()
            if kind == "?":
                self.send(self.answer(body))
            else:
                return self._settle(body, sent)

    def serve(self) -> None:
        """Answer until the other side ends."""
        while True:
            kind, body = self.receive()
            if kind != "?":
                raise ValueError("a reply to no request")
            self.send(self.answer(body))

    def answer(self, body: Any) -> list[Any]:
        """Do as asked; write what came of it, and what became of the arguments."""
        table: list[Any] = []
        try:
            request = self.decode(body, table)
            value = self.perform(*request)
            said: tuple[Any, ...] = ("ok", value)
        except Closed:
            raise
        except BaseException as error:  # noqa: BLE001  # whatever it is, the other side is told
            said = ("raised", *self._failure(error))
        known = {id(thing): place for place, thing in enumerate(table)}
        held = list(table)
        try:
            written = self.encode(said, known, held)
            states = [self._contents(thing, known, held) for thing in table]
        except (TypeError, ValueError, RecursionError) as error:
            said = ("raised", TypeError, (str(error),), "", {})
            written, states = self.encode(said, {}, []), []
        return ["!", [written, states, self.printed()]]

    def send(self, message: Any) -> None:
        """Write one message."""
        data = json.dumps(message).encode()
        if len(data) > LONGEST:
            raise ValueError("more than a message holds")
        try:
            self.stream.sendall(len(data).to_bytes(8, "big") + data)
        except OSError as error:
            raise Closed from error

    def receive(self) -> tuple[str, Any]:
        """Read one message."""
        length = int.from_bytes(self._read(8), "big")
        if length > LONGEST:
            raise Closed
        try:
            kind, body = json.loads(self._read(length))
        except (ValueError, TypeError, RecursionError) as error:
            raise Closed from error
        return kind, body

    def _read(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            try:
                piece = self.stream.recv(min(1 << 20, length - len(data)))
            except OSError as error:
                raise Closed from error
            if not piece:
                raise Closed
            data += piece
        return bytes(data)

    def _settle(self, body: Any, sent: list[Any]) -> Any:
        """Read a reply, and bring what was sent to the state that it had in the end."""
        written, states, printed = body
        sys.stdout.write(str(printed))
        table = list(sent)
        said = self.decode(written, table)
        for thing, state in zip(sent, states, strict=False):
            _refill(thing, [self.decode(item, table) for item in state])
        if said[0] == "ok":
            return said[1]
        raise self.failure(*said[1:])

    def failure(
        self,
        kind: Any,
        arguments: Any,
        text: str,
        more: dict[str, Any],  # noqa: ARG002
    ) -> BaseException:
        """Make an error of the other side again."""
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            return RuntimeError(text)
        try:
            error = kind(*arguments)
        except Exception:  # noqa: BLE001  # it takes other arguments than it keeps
            error = RuntimeError(text)
        return error

    def _failure(self, error: BaseException) -> tuple[Any, ...]:
        text = ""
        try:
            text = str(error)[:1000]
            more = {k: v for k, v in vars(error).items() if isinstance(k, str)}
            arguments = tuple(error.args)
            self.encode((arguments, more), {}, [])
        except Exception:  # noqa: BLE001  # an error that can't even be read
            arguments, more = (text,), {}
        return type(error), arguments, text, more

    def refer(self, thing: Any) -> list[Any]:
        """Write a reference; the object lives as long as this side."""
        number = self._numbers.get(id(thing))
        if number is None:
            number = self._numbers[id(thing)] = len(self.given)
            self.given.append(thing)
        return ["x", number, self.describe(thing)]

    def encode(self, thing: Any, known: dict[int, int], held: list[Any]) -> Any:
        """Write a value; `known` numbers the changeable ones by identity, `held` lists them."""
        kind = type(thing)
        if thing is None or kind in (bool, str, float):
            return thing
        if kind is int:
            return thing if -(1 << 53) < thing < 1 << 53 else ["i", hex(thing)]
        if kind is tuple or kind is frozenset:
            tag = "t" if kind is tuple else "f"
            return [tag, [self.encode(item, known, held) for item in thing]]
        if isinstance(thing, Remote):
            return ["y", object.__getattribute__(thing, "_ref")]
        if id(thing) in known and kind in _CHANGEABLE:
            return ["m", known[id(thing)]]
        if kind in _CHANGEABLE:
            known[id(thing)] = len(held)
            held.append(thing)
            return [_CHANGEABLE[kind], self._contents(thing, known, held)]
        simple = _simple(thing, kind)
        if simple is None:
            simple = self.by_value(thing)
        return self.refer(thing) if simple is None else simple

    def _contents(self, thing: Any, known: dict[int, int], held: list[Any]) -> list[Any]:
        if isinstance(thing, dict):
            return [self.encode(pair, known, held) for pair in list(thing.items())]
        if isinstance(thing, bytearray):
            return [thing.decode("latin-1")]
        if isinstance(thing, deque):
            return [thing.maxlen, *(self.encode(item, known, held) for item in list(thing))]
        return [self.encode(item, known, held) for item in list(thing)]

    def decode(self, data: Any, table: list[Any]) -> Any:
        """Read a value; changeable ones are added to `table`, in the order of their writing."""
        if not isinstance(data, list):
            return data
        tag, *rest = data
        if tag in ("t", "f"):
            items = [self.decode(item, table) for item in rest[0]]
            return tuple(items) if tag == "t" else frozenset(items)
        if tag in _MAKERS:
            made = _MAKERS[tag]()
            place = len(table)
            table.append(made)
            items = [self.decode(item, table) for item in rest[0]]
            if tag == "q":
                made = table[place] = deque(maxlen=items[0])
            _refill(made, items)
            return made
        if tag == "m":
            return table[rest[0]]
        if tag == "y":
            return self.given[rest[0]]
        if tag == "x":
            return self.adopt(rest[0], rest[1])
        found = _SIMPLE.get(tag)
        return self.special(tag, rest) if found is None else found(*rest)


_CHANGEABLE: dict[type, str] = {
    **{kind: tag for tag, kind in _DICTS.items()},
    defaultdict: "dd",
    list: "l",
    set: "s",
    bytearray: "a",
    deque: "q",
}
_MAKERS: dict[str, Any] = {
    **_DICTS,
    "dd": defaultdict,
    "l": list,
    "s": set,
    "a": bytearray,
    "q": deque,
}


def _refill(thing: Any, items: list[Any]) -> None:
    """Give a changeable value new contents."""
    if isinstance(thing, dict):
        thing.clear()
        for key, value in items:
            thing[key] = value
    elif isinstance(thing, bytearray):
        thing[:] = items[0].encode("latin-1")
    elif isinstance(thing, set):
        thing.clear()
        thing.update(items)
    elif isinstance(thing, deque):
        thing.clear()
        thing.extend(items[1:])
    else:
        thing[:] = items


def _simple(thing: Any, kind: type) -> list[Any] | None:
    """Write a value that holds no other, where both sides know its class."""
    if kind is bytes:
        return ["b", thing.decode("latin-1")]
    if kind is complex:
        return ["c", thing.real, thing.imag]
    if kind is range or kind is slice:
        ends = (thing.start, thing.stop, thing.step)
        whole = all(end is None or type(end) is int for end in ends)
        tag = "rg" if kind is range else "sg"
        return [tag, *(end if end is None else hex(end) for end in ends)] if whole else None
    if kind is Fraction:
        return ["F", hex(thing.numerator), hex(thing.denominator)]
    if kind is Decimal:
        return ["N", str(thing)]
    if kind.__name__ in _TIMES and kind is _TIMES[kind.__name__]:
        return ["T", kind.__name__, thing.isoformat()]
    if kind is datetime.timedelta:
        return ["td", thing.days, thing.seconds, thing.microseconds]
    if kind is type and thing in _NAMES:
        return ["B", _NAMES[thing]]
    single = next((name for name, one in _SINGLE.items() if one is thing), None)
    return None if single is None else ["1", single]


def _ends(maker: Any) -> Any:
    return lambda *ends: maker(*(None if end is None else int(end, 16) for end in ends))


_SIMPLE: dict[str, Any] = {
    "i": lambda text: int(text, 16),
    "b": lambda text: text.encode("latin-1"),
    "c": complex,
    "rg": _ends(range),
    "sg": _ends(slice),
    "F": lambda over, under: Fraction(int(over, 16), int(under, 16)),
    "N": Decimal,
    "T": lambda kind, text: _TIMES[kind].fromisoformat(text),
    "td": datetime.timedelta,
    "B": _NAMED.__getitem__,
    "1": _SINGLE.__getitem__,
}
