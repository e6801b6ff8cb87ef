"""The program's side of a trial: runs it, then does as its tests ask.

Whatever the program does to this process, or says in its name, is only what it answers: the verdict
is made elsewhere.
"""

from __future__ import annotations

import importlib
import inspect
import io
import operator
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from workspan.sandbox.trial.wire import Closed, Peer, Remote

_VIEWS = (int, float, complex, str, bytes, list, tuple, dict, set, frozenset)

_OPERATORS: dict[str, Callable[..., Any]] = {
    name: getattr(operator, name)
    for name in [
        "lt",
        "le",
        "eq",
        "ne",
        "ge",
        "gt",
        "add",
        "sub",
        "mul",
        "truediv",
        "floordiv",
        "mod",
        "matmul",
        "pow",
        "lshift",
        "rshift",
        "and_",
        "or_",
        "xor",
        "neg",
        "pos",
        "invert",
        "getitem",
        "setitem",
        "delitem",
        "contains",
        "index",
        "length_hint",
    ]
} | {
    function.__name__: function
    for function in (
        len,
        iter,
        next,
        hash,
        str,
        repr,
        bool,
        abs,
        round,
        int,
        float,
        complex,
        divmod,
    )
}
_OPERATORS |= {"reversed": reversed, "format": format, "isinstance": isinstance, "bytes": bytes}
_OPERATORS |= {"issubclass": issubclass}


KEPT = 1 << 16
"""Characters of output for one call."""


class Foreign(Remote):
    """An object of the tests: a callback, or an instance of a class that they define."""

    __slots__ = ("_peer",)

    def __init__(self, peer: Peer, number: int) -> None:
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_ref", number)

    def __call__(self, *arguments: Any, **named: Any) -> Any:  # noqa: D102
        return self._peer.ask("call", self, arguments, named)

    def __getattr__(self, name: str) -> Any:
        return self._peer.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask("set", self, name, value)

    def __iter__(self) -> Iterator[Any]:
        it: Iterator[Any] = self._peer.ask("op", "iter", (self,))
        return it

    def __next__(self) -> Any:
        return self._peer.ask("op", "next", (self,))


def _forward(name: str) -> Callable[..., Any]:
    return lambda self, *others: self._peer.ask("op", name, (self, *others))


for _method, _name in (
    *((f"__{n}__", n) for n in ("len", "str", "repr", "bool", "getitem", "setitem", "contains")),
    *((f"__{n}__", n) for n in ("eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul")),
):
    setattr(Foreign, _method, _forward(_name))
Foreign.__hash__ = lambda self: hash(object.__getattribute__(self, "_ref"))  # type: ignore[method-assign]


class Heard(io.TextIOBase):
    """Standard output, of which the beginning is kept for tests that look at it."""

    def __init__(self, real: TextIO) -> None:
        self._real, self._kept = real, ""

    def write(self, text: str) -> int:
        """Write on, and keep up to `KEPT` characters."""
        self._kept += text[: max(0, KEPT - len(self._kept))]
        return self._real.write(text)

    def flush(self) -> None:
        """Flush what lies below."""
        self._real.flush()

    def take(self) -> str:
        """Return what was kept, and keep anew."""
        kept, self._kept = self._kept, ""
        return kept


class Host(Peer):
    """Looks after the program."""

    def __init__(self, descriptor: int, program: types.ModuleType) -> None:
        super().__init__(descriptor)
        self.program = program
        self.out = Heard(sys.stdout)
        sys.stdout = self.out
        self.foreign: dict[int, Foreign] = {}

    def perform(self, verb: str, *arguments: Any) -> Any:
        """Do what the tests do."""
        if verb == "call":
            target, positional, named = arguments
            return target(*positional, **named)
        if verb == "get":
            return getattr(*arguments)
        if verb == "set":
            return setattr(*arguments)
        if verb == "del":
            return delattr(*arguments)
        if verb == "op":
            name, operands = arguments
            return _OPERATORS[name](*operands)
        if verb == "await":
            import asyncio

            return asyncio.run(arguments[0])
        return self._named(arguments[0])

    def _named(self, names: list[str]) -> list[tuple[str, str, Any]]:
        """Look names up: what is a module, or comes from one that tests may have too, says so."""
        found = []
        for name in names:
            if name not in vars(self.program):
                continue
            value = vars(self.program)[name]
            home = ""
            if isinstance(value, types.ModuleType):
                home = value.__name__
            elif _home(value, name):
                home = f"{value.__module__}.{name}"
            found.append((name, home, value))
        return found

    def printed(self) -> str:
        """Return what the program printed since the last reply."""
        return self.out.take()

    def by_value(self, thing: Any) -> list[Any] | None:  # noqa: ARG002
        """Nothing more than both sides know."""
        return None

    def describe(self, thing: Any) -> list[Any]:
        """Say what an object is: its kind, its name, its classes' names, its bases, its data."""
        is_class = isinstance(thing, type)
        classes = [c.__name__ for c in type.mro(thing if is_class else type(thing))]
        if is_class:
            fault = issubclass(thing, BaseException)
            bases = [self.encode(base, {}, []) for base in thing.__bases__] if fault else []
            return ["error" if fault else "class", thing.__name__, classes, bases, None]
        if inspect.iscoroutine(thing):
            return ["coroutine", "", classes, [], None]
        view = next((base for base in _VIEWS if isinstance(thing, base)), None)
        if view is None:
            return ["object", type(thing).__name__, classes, [], None]
        try:
            data = self.encode(_base(view, thing), {}, [])
        except RecursionError:
            return ["object", type(thing).__name__, classes, [], None]
        return ["object", type(thing).__name__, classes, [data], view.__name__]

    def adopt(self, number: int, told: list[Any]) -> Any:  # noqa: ARG002
        """Stand in for an object of the tests."""
        return self.foreign.setdefault(number, Foreign(self, number))

    def special(self, tag: str, rest: list[Any]) -> Any:
        """Read what the tests call by its name, such as a built-in function."""
        if tag == "g":
            return getattr(importlib.import_module(rest[0]), rest[1])
        return super().special(tag, rest)


def _base(view: type, thing: Any) -> Any:
    """Copy the data of a subclass's instance, by its base's own methods."""
    if view is dict:
        return dict(dict.items(thing))
    if view in (list, tuple, set, frozenset):
        return view(view.__iter__(thing))
    if view is str:
        return str.__str__(thing)
    if view is bytes:
        return bytes.__getitem__(thing, slice(None))
    if view is int:
        return int.__index__(thing)
    return float.__pos__(thing) if view is float else complex.__pos__(thing)


def _home(value: Any, name: str) -> bool:
    """Say whether a value is what a module of the standard library calls by this name."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    return (
        module is not None
        and getattr(module, name, None) is value
        and module.__name__ != "__main__"
    )


def main(descriptor: int) -> None:
    """Run the program in this folder as the main module, then serve its tests."""
    program = types.ModuleType("__main__")
    program.__dict__["__file__"] = "main.py"
    program.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = program
    with open("main.py", encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    host = Host(descriptor, program)
    exec(compile(text, "main.py", "exec"), program.__dict__)  # noqa: S102
    host.out.take()
    try:
        host.send(["ready", None])
        host.serve()
    except Closed:
        return
