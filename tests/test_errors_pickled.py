"""Every error of ours comes through another process as it went in."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle  # noqa: TID251  # as Ray does; nothing of it is kept
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

import workspan
from workspan import errors
from workspan.errors import (
    BudgetExceeded,
    DataError,
    EngineRejected,
    EngineUnavailable,
    KeyRefused,
    MissingDependency,
    Refused,
    SpecError,
    WorkspanError,
)

TOLD: dict[str, WorkspanError] = {
    "SpecError": SpecError("no such", text="singel(n=2)", column=3),
    "DataError": DataError("is no JSON", path="a.jsonl", line=7),
    "KeyRefused": KeyRefused("who?", code="key_expired"),
    "Refused": Refused("wait", code="budget_busy", limit="9 work a day", retry_after=2.5),
    "BudgetExceeded": BudgetExceeded("a call needs 9 work, 3 left", limit="work"),
    "MissingDependency": MissingDependency("a sweep on Ray", "ray"),
    "EngineRejected": EngineRejected("wrong \x1b[2Jkey", status=401),
    "EngineUnavailable": EngineUnavailable("busy", status=429, retry_after=3.0),
}


def kinds(of: type[WorkspanError]) -> Iterator[type[WorkspanError]]:
    yield of
    for one in of.__subclasses__():
        yield from kinds(one)


def everywhere() -> list[type[WorkspanError]]:
    """Return every subclass that any file of the package makes."""
    for found in pkgutil.walk_packages(workspan.__path__, "workspan."):
        if not found.name.endswith("__main__"):
            with suppress(ImportError):  # an extra that is not installed
                importlib.import_module(found.name)
    return [one for one in kinds(WorkspanError) if one.__module__.startswith("workspan.")]


_FACTS: dict[str, Any] = {"status": 429}


def made(kind: type[WorkspanError]) -> WorkspanError:
    """Make one of any kind: of what its constructor asks for, a text each."""
    asked = [*inspect.signature(kind.__init__).parameters.values()][1:]
    asked = [one for one in asked if one.default is one.empty]
    places = [
        _FACTS.get(one.name, f"its {one.name}")
        for one in asked
        if one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    named = {one.name: f"its {one.name}" for one in asked if one.kind is one.KEYWORD_ONLY}
    return kind(*(places or ["it \u2028 failed: 'x'"]), **named)


def _through_pickle(protocol: int, error: WorkspanError) -> Any:
    return pickle.loads(pickle.dumps(error, protocol))  # noqa: S301  # our own


def _through(way: Any, error: WorkspanError) -> Any:
    return way.loads(way.dumps(error))


def passed_on() -> list[Callable[[Any], Any]]:
    ways: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy]
    ways += [partial(_through_pickle, n) for n in range(pickle.HIGHEST_PROTOCOL + 1)]
    for name in ("cloudpickle", "ray.cloudpickle"):
        with suppress(ImportError):
            other: Any = importlib.import_module(name)
            ways.append(partial(_through, other))
    return ways


@pytest.mark.slow
def test_every_error_keeps_its_class_its_words_and_its_facts() -> None:
    found = everywhere()
    assert {errors.BudgetExceeded, errors.WorkerLost, errors.ContextExceeded} <= {*found}
    for kind in found:
        error = TOLD.get(kind.__name__) or made(kind)
        error.add_note("while it was tried")
        if isinstance(error, errors.EngineError):
            error.keys, error.served = ("/0", "/1"), "part"
        for way in passed_on():
            again = way(error)
            assert type(again) is kind
            assert (str(again), again.args) == (str(error), error.args)
            assert vars(again) == vars(error)
            assert again.__notes__ == ["while it was tried"]


def test_the_facts_that_callers_go_by_are_there() -> None:
    again = {n: pickle.loads(pickle.dumps(one)) for n, one in TOLD.items()}  # noqa: S301
    assert again["BudgetExceeded"].limit == "work"
    assert again["MissingDependency"].extra == "ray"
    assert "workspan[ray]" in str(again["MissingDependency"])
    assert (again["DataError"].line, again["SpecError"].column) == (7, 3)
    assert again["Refused"].retry_after == 2.5
    assert again["EngineUnavailable"].status == 429
