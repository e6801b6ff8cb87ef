"""The tests' side of a trial: runs them, and alone says what passed.

What the tests take from the program is plain data, compared here, or a `Thing` that stands for an
object of it. A `Thing` never equals plain data of another kind, whatever its class says; and its
class is asked to compare, add and so on with plain data only where the tests name that class.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

from workspan.sandbox.trial.wire import Closed, Peer, Remote

SHARED = frozenset(
    [
        "math",
        "cmath",
        "collections",
        "itertools",
        "functools",
        "operator",
        "fractions",
        "decimal",
        "statistics",
        "heapq",
        "bisect",
        "datetime",
        "typing",
        "string",
    ]
)
"""Modules whose functions and classes tests may use by a name that the program imported."""
ALIASES = frozenset({("np", "numpy"), ("pd", "pandas")})
_TELLING = frozenset({"startswith", "endswith", "issubset", "issuperset", "isdisjoint", "equals"})
"""Methods that say whether plain data is as expected: not believed of classes nobody named."""


class Thing(Remote):
    """An object of the program."""

    __slots__ = ("_known", "_peer", "_view")

    def __init__(self, peer: Peer, number: int, *, known: bool, view: tuple[Any, ...]) -> None:
        put = object.__setattr__
        put(self, "_ref", number)
        put(self, "_peer", peer)
        put(self, "_known", known)
        put(self, "_view", view)

    def __call__(self, *arguments: Any, **named: Any) -> Any:  # noqa: D102
        return self._peer.ask("call", self, arguments, named)

    def __getattr__(self, name: str) -> Any:
        if name in _TELLING and not self._known:
            if self._view:
                return getattr(self._view[0], name)
            raise AttributeError(f"{name} of a class that the tests do not name")
        return self._peer.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._peer.ask("del", self, name)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Thing):
            return bool(self is other or self._peer.ask("op", "eq", (self, other)))
        return bool(self._view) and bool(self._view[0] == other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._view[0] if self._view else self._peer.ask("op", "hash", (self,)))

    def __iter__(self) -> Iterator[Any]:
        it = self._peer.ask("op", "iter", (self,))
        if not isinstance(it, Thing):
            raise TypeError("iter() gave no iterator")
        return _walk(it)

    def __next__(self) -> Any:
        return self._peer.ask("op", "next", (self,))

    def __contains__(self, item: object) -> bool:
        if self._known or isinstance(item, Thing):
            return bool(self._peer.ask("op", "contains", (self, item)))
        return any(one is item or one == item for one in (self._view[0] if self._view else self))

    def __instancecheck__(self, one: object) -> bool:
        return isinstance(one, Thing) and bool(self._peer.ask("op", "isinstance", (one, self)))

    def __subclasscheck__(self, one: object) -> bool:
        return isinstance(one, Thing) and bool(self._peer.ask("op", "issubclass", (one, self)))

    def __enter__(self) -> Any:
        return self._peer.ask("call", self._peer.ask("get", self, "__enter__"), (), {})

    def __exit__(self, *_: object) -> Any:
        return self._peer.ask("call", self._peer.ask("get", self, "__exit__"), (None,) * 3, {})

    @property
    def __class__(self) -> Any:  # what isinstance asks for, too
        return type(self._view[0]) if self._view else Thing

    @__class__.setter
    def __class__(self, _: Any) -> None:
        raise TypeError("a program's object keeps its class")


def _walk(it: Thing) -> Iterator[Any]:
    while True:
        try:
            item = next(it)
        except StopIteration:
            return
        yield item


def _unary(name: str) -> Callable[..., Any]:
    def method(self: Thing, *more: Any) -> Any:
        return self._peer.ask("op", name, (self, *more))

    return method


def _binary(name: str, *, turned: bool = False) -> Callable[..., Any]:
    def method(self: Thing, other: Any) -> Any:
        mine = self
        if not isinstance(other, Thing) and not self._known:
            if not self._view:
                raise TypeError(f"{name} of plain data and a class that the tests do not name")
            mine = self._view[0]
            pair = (other, mine) if turned else (mine, other)
            return _plainly(name, pair)
        return self._peer.ask("op", name, (other, mine) if turned else (mine, other))

    return method


def _plainly(name: str, pair: tuple[Any, Any]) -> Any:
    import operator

    return divmod(pair[0], pair[1]) if name == "divmod" else getattr(operator, name)(*pair)


for _name in [
    "len",
    "bool",
    "str",
    "repr",
    "abs",
    "round",
    "int",
    "float",
    "complex",
    "reversed",
    "format",
    "bytes",
]:
    setattr(Thing, f"__{_name}__", _unary(_name))
for _name in ("neg", "pos", "invert", "getitem", "setitem", "delitem", "index"):
    setattr(Thing, f"__{_name}__", _unary(_name))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Thing, f"__{_name}__", _binary(_name))
for _name in [
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
    "divmod",
]:
    _plain = _name.rstrip("_")
    setattr(Thing, f"__{_plain}__", _binary(_name))
    setattr(Thing, f"__r{_plain}__", _binary(_name, turned=True))


class Tester(Peer):
    """Runs tests against the program on the other side."""

    def __init__(self, descriptor: int, tests: list[str], helpers: str) -> None:
        super().__init__(descriptor)
        self.space: dict[str, Any] = {"__name__": "tests"}
        self.trees = [ast.parse(test) for test in tests]
        if helpers:
            exec(compile(helpers, "helpers", "exec"), self.space)  # noqa: S102
        self.things: dict[int, Any] = {}
        self.named = {
            n.id for tree in self.trees for n in ast.walk(tree) if isinstance(n, ast.Name)
        }
        free = self.named - _defined(self.trees) - self.space.keys()
        self.is_about_builtin = not free - vars(builtins).keys()

    def run(self, place: int) -> None:
        """Run one test; raises where the program fails it."""
        tree = self.trees[place]
        bound = self._bind(tree)
        try:
            exec(compile(tree, f"test {place + 1}", "exec"), self.space)  # noqa: S102
        finally:
            for name, value in bound.items():
                if self.space.get(name) is value:
                    del self.space[name]

    def _bind(self, tree: ast.Module) -> dict[str, Any]:
        """Give the names that a test uses and does not define what the program means by them."""
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        wanted = sorted(used - self.space.keys())
        if not self.is_about_builtin:
            wanted = [name for name in wanted if not hasattr(builtins, name)]
        bound = {name: one for name in wanted if (one := _library(name, tree)) is not None}
        asked = [name for name in wanted if name not in bound]
        for name, home, value in self.ask("names", asked):
            if name in asked:
                shared = _shared(name, home) if home else None
                bound[name] = value if shared is None else shared
        self.space.update(bound)
        return bound

    def perform(self, verb: str, *arguments: Any) -> Any:
        """Let the program use what a test gave it: call it, and what is public of its own objects.

        Raises:
            PermissionError: the tests did not give that.
        """
        target = arguments[1][0] if verb == "op" else arguments[0]
        if not any(target is given for given in self.given):
            raise PermissionError(verb)
        if verb == "call" and callable(target):
            return target(*arguments[1], **arguments[2])
        if verb == "op" and arguments[0] in _ALLOWED:
            return _ALLOWED[arguments[0]](*arguments[1])
        if verb in ("get", "set") and _is_own(target) and not arguments[1].startswith("_"):
            return getattr(target, arguments[1]) if verb == "get" else setattr(*arguments)
        raise PermissionError(verb)

    def by_value(self, thing: Any) -> list[Any] | None:
        """Name what both sides can import; own functions and objects go by reference.

        Raises:
            TypeError: it is something else, which can't be given to a program.
        """
        if isinstance(thing, type) and issubclass(thing, BaseException):
            number = next((n for n, one in self.things.items() if one is thing), None)
            return None if number is None else ["y", number]
        if _is_own(thing) or hasattr(thing, "__next__"):
            return None
        module, name = getattr(thing, "__module__", None), getattr(thing, "__name__", "")
        if isinstance(module, str) and getattr(sys.modules.get(module), name, None) is thing:
            return ["g", module, name]
        if callable(thing):
            return None
        raise TypeError(f"a {type(thing).__name__} can't be given to a program")

    def describe(self, thing: Any) -> list[Any]:  # noqa: ARG002
        """Nothing: a program asks."""
        return []

    def adopt(self, number: int, told: list[Any]) -> Any:
        """Stand in for an object of the program; the same one each time."""
        if number in self.things:
            known = self.things[number]
            if not isinstance(known, Thing) or not known._view:
                return known
        kind, name, classes, data, view = told
        made: Any
        if kind == "error":
            bases = tuple(self.decode(base, []) for base in data)
            bases = tuple(b for b in bases if isinstance(b, type) and issubclass(b, BaseException))
            made = type(str(name), bases or (Exception,), {"__str__": _text_of})
        elif kind == "coroutine":
            return _awaited(self, Thing(self, number, known=False, view=()))
        else:
            value = (self.decode(data[0], []),) if view is not None else ()
            if value and type(value[0]).__name__ != view:
                raise Closed
            is_named = not self.named.isdisjoint(classes)
            made = Thing(self, number, known=is_named, view=value)
        self.things[number] = made
        return made

    def failure(self, kind: Any, arguments: Any, text: str, more: dict[str, Any]) -> BaseException:
        """Make the program's error again, with what it keeps."""
        if not any(one is kind for one in self.things.values()):
            return super().failure(kind, arguments, text, more)
        error: BaseException = kind.__new__(kind, *arguments)
        error.args = arguments
        vars(error).update({k: v for k, v in more.items() if not k.startswith("__")}, _text=text)
        return error


def _awaited(peer: Peer, thing: Thing) -> Coroutine[Any, Any, Any]:
    async def wait() -> Any:
        return peer.ask("await", thing)

    return wait()


def _text_of(error: BaseException) -> str:
    text = vars(error).get("_text")
    return text if isinstance(text, str) else BaseException.__str__(error)


def _is_own(thing: Any) -> bool:
    """Say whether the tests define this function or class, or the class of this object."""
    return getattr(thing, "__module__", None) == "tests"


def _operators() -> dict[str, Callable[..., Any]]:
    import operator

    names = [
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "add",
        "sub",
        "mul",
        "getitem",
        "setitem",
        "contains",
    ]
    return {name: getattr(operator, name) for name in names} | {
        function.__name__: function for function in (len, iter, next, str, repr, bool)
    }


_ALLOWED = _operators()


def _defined(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names that tests give a meaning themselves."""
    found = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
    return found


def _library(name: str, tree: ast.Module) -> Any:
    """Return the module of the standard library that a test means by ``math`` in ``math.pi``."""
    if name not in sys.stdlib_module_names:
        return None
    asked = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    }
    if not asked:
        return None
    module = importlib.import_module(name)
    return module if all(hasattr(module, attribute) for attribute in asked) else None


def _shared(name: str, home: str) -> Any:
    """Return what a name stands for in a module that both sides have."""
    if (name == home and name in sys.stdlib_module_names) or (name, home) in ALIASES:
        try:
            return importlib.import_module(home)
        except ImportError:
            return None
    module, _, attribute = home.rpartition(".")
    if attribute != name or module.strip("_") not in SHARED:
        return None
    return getattr(importlib.import_module(module.strip("_")), attribute, None)


def _said(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())[:200]
    except Exception:  # noqa: BLE001  # an object of the program that can't be written
        text = ""
    return f"{type(error).__name__}: {text}".rstrip(": ")


def main(descriptor: int) -> None:
    """Run the tests on standard input until one fails; write how each ended, as JSON.

    Standard output is kept for that: what a test prints goes nowhere.
    """
    given = json.load(sys.stdin)
    verdict = os.dup(1)
    nowhere = os.open("/dev/null", os.O_WRONLY)
    os.dup2(nowhere, 1)
    ends: list[str] = []
    try:
        tester = Tester(descriptor, given["tests"], given["helpers"])
        kind, _ = tester.receive()
        for place in range(len(tester.trees) if kind == "ready" else 0):
            tester.run(place)
            ends.append("passed")
    except Closed:
        ends.append("ended early")
    except MemoryError:
        ends.append("memory")
    except BaseException as error:  # noqa: BLE001  # a test raises what it likes, SystemExit too
        ends.append(f"error: {_said(error)}")
    os.write(verdict, json.dumps(ends).encode())
    os._exit(0)
