"""A sweep as it is written in a TOML file: what is crossed with what, and what it may spend."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workspan.boundary.inputs import read_whole
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.efforts import check_form, thinking_tokens
from workspan.errors import DataError, InputError, SpecError, nearest
from workspan.legible import legible, one_line, quoted
from workspan.spec import parse_strategy, write
from workspan.spec.parameters import parameters, strategy_fields

_SWEEP = (
    *("name", "engines", "tasks", "strategies", "budgets", "efforts", "seeds"),
    *("limit", "total", "grader"),
)
_ENGINE = (
    *("name", "engine", "model", "price", "set", "key_env", "with", "tasks", "efforts"),
    *("recording", "kind"),
)
_UNLIMITED = ("unlimited", "none")
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class EngineText:
    """One engine of a sweep, as it was stated; nothing is opened yet."""

    name: str
    engine: str = "embedded"
    model: str = ""
    price: str = ""
    """USD per million tokens, input/output."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """As `--set` takes them."""
    key_env: str = ""
    """The variable of the environment that holds its key."""
    further: Mapping[str, str] = field(default_factory=dict)
    """Engines that strategies name, such as a judge, by name."""
    tasks: tuple[str, ...] = ()
    """Its own; empty takes the sweep's."""
    efforts: tuple[str, ...] = ()
    """Its own; empty takes the sweep's."""
    recording: str = ""
    """A Parquet file of recorded chains that stands for the engine; empty asks a model."""
    kind: str = "text"
    """How the answers of a recording are compared."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is crossed, and within what."""

    name: str
    engines: tuple[EngineText, ...]
    strategies: tuple[Strategy, ...]
    budgets: tuple[Budget, ...]
    """Of each run: one strategy on one problem."""
    seeds: tuple[int, ...] = (0,)
    limit: int = 20
    """Problems of each task, chosen by a fixed seed: the same for every cell."""
    total: Budget = field(default_factory=Budget)
    """Of all runs together: work, calls, prefill and money. It is never passed."""
    grader: str = ""
    """Of the user's own, in place of the tasks'."""

    def with_limit(self, limit: int | None) -> Sweep:
        """Return the same on fewer or more problems of each task."""
        return self if limit is None else replace(self, limit=limit)


def read_sweep(path: str | Path) -> Sweep:
    """Read the file of a sweep.

    Raises:
        DataError: it can't be read, or is no TOML.
        SpecError: a strategy, an engine or a budget in it is not understood.
        InputError: a key is unknown, missing or of another form; says which.
    """
    path = Path(path)
    try:
        told = tomllib.loads(read_whole(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"is no TOML: {error}", path=str(path)) from None
    try:
        return sweep_of(told, name=path.stem)
    except SpecError as error:
        raise InputError(f"{path}: {error}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def sweep_of(told: Mapping[str, Any], name: str = "sweep") -> Sweep:
    """Read a sweep from plain values, as TOML has them.

    Raises:
        SpecError: a strategy, an engine or a budget in it is not understood.
        InputError: a key is unknown, missing or of another form; says which.
    """
    _known(told, _SWEEP, "a sweep")
    shared = (_texts(told, "tasks"), _efforts(told))
    engines = tuple(_engine(one, *shared) for one in _tables(told, "engines"))
    _once([one.name for one in engines], "engine")
    strategies = tuple(one for item in _items(told, "strategies") for one in _strategies(item))
    _once([write(one) for one in strategies], "strategy")
    budgets = tuple(_budget(text) for text in _texts(told, "budgets"))
    _once([str(one) for one in budgets], "budget")
    seeds = _whole_numbers(told, "seeds", (0,))
    _once([str(one) for one in seeds], "seed")
    for what, found in (("engines", engines), ("strategies", strategies), ("budgets", budgets)):
        if not found:
            raise InputError(f"a sweep needs {what}: {_EXAMPLES[what]}")
    [limit] = _whole_numbers({"limit": [told.get("limit", 20)]}, "limit", (20,))
    if limit < 1:
        raise InputError(f"limit is {limit}: at least 1 problem of each task")
    return Sweep(
        _name(told.get("name", name)),
        engines,
        strategies,
        budgets,
        seeds,
        limit,
        _total(_text(told, "total")),
        _text(told, "grader"),
    )


_EXAMPLES = {
    "engines": "[[engines]] with name and engine",
    "strategies": "strategies = ['single', {of = 'self_consistency', n = [1, 2, 4]}]",
    "budgets": "budgets = ['256 work', '1k work']",
}


def _engine(told: Mapping[str, Any], tasks: Sequence[str], efforts: Sequence[str]) -> EngineText:
    _known(told, _ENGINE, "an engine of a sweep")
    recording, engine = _text(told, "recording"), _text(told, "engine")
    if recording and engine:
        raise InputError("an engine is either an engine or a recording, not both")
    own = _texts(told, "tasks") or tuple(tasks)
    name = _name(told.get("name") or engine or Path(recording).stem or "embedded")
    if not own and not recording:
        raise InputError(f"which tasks for {name}? tasks = ['demo', 'problems.jsonl']")
    _once(own, "task")
    stated = {key: _written(value) for key, value in _table(told, "set").items()}
    if "effort" in stated:
        raise InputError(f"the effort of {name} stands in efforts = ['low', 'high'], not in set")
    return EngineText(
        name=name,
        engine=engine or "embedded",
        model=_text(told, "model"),
        price=_text(told, "price"),
        settings=stated,
        key_env=_text(told, "key_env"),
        further={key: _written(value) for key, value in _table(told, "with").items()},
        tasks=own,
        efforts=_efforts(told) or tuple(efforts) or ("",),
        recording=recording,
        kind=_text(told, "kind") or "text",
    )


def _efforts(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the efforts of a sweep or an engine; "" is the server's own.

    Raises:
        InputError: one is no word, or given twice.
    """
    efforts = _texts(told, "efforts")
    for one in efforts:
        if one:
            check_form(one)
        if thinking_tokens(one) is not None:
            raise InputError(
                f"the efforts of a sweep are words, such as low or high, not {quoted(one)}: "
                "`workspan which` races numbers of thinking tokens"
            )
    _once(efforts, "effort")
    return efforts


def _strategies(item: object) -> list[Strategy]:
    """Read ``'name(…)'``, or ``{of = 'name(…)', n = [1, 2]}``: each value of each list."""
    if isinstance(item, str):
        return [parse_strategy(item, imports=True)]
    if not isinstance(item, Mapping) or not isinstance(item.get("of"), str):
        raise InputError(f"a strategy is a text, or a table such as {_EXAMPLES['strategies']}")
    found = [parse_strategy(item["of"], imports=True)]
    for key, values in item.items():
        if key == "of":
            continue
        kind = type(found[0])
        known = [name for name in parameters(kind) if name not in strategy_fields(kind)]
        if key not in known:
            raise InputError(f"{item['of']} has no parameter {key!r}: {nearest(key, known)}")
        listed = values if isinstance(values, list) else [values]
        if not listed:
            raise InputError(f"{item['of']}: {key} = [] leaves no strategy: list a value at least")
        try:
            found = [replace(one, **{key: value}) for one in found for value in listed]  # type: ignore[type-var]
        except (TypeError, ValueError) as error:
            raise InputError(f"{item['of']}: {error}") from None
    return found


def _budget(text: str) -> Budget:
    return Budget() if text.strip().lower() in _UNLIMITED else Budget.parse(text)


def _total(text: str) -> Budget:
    """Read what all runs together may spend.

    Raises:
        InputError: it limits what can't be added up over runs.
    """
    if not text:
        return Budget()
    total = _budget(text)
    if (total.span, total.width, total.seconds) != (None, None, None):
        raise InputError(
            "total limits work, calls, prefill and money of all runs together: put span, width and "
            "seconds in the budgets of the runs"
        )
    return total


def _known(told: Mapping[str, Any], names: Sequence[str], what: str) -> None:
    for key in told:
        if key not in names:
            raise InputError(f"{what} has no key {legible(str(key))!r}: {nearest(key, names)}")


def _once(names: Sequence[str], what: str) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise InputError(f"the {what} {legible(name)!r} is given twice: give each once")


def _name(value: object) -> str:
    is_text = isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME
    if not (isinstance(value, str) and is_text and value == one_line(value)):
        raise InputError(f"a name is a legible line of 1 to {_LONGEST_NAME} characters")
    return value


def _items(told: Mapping[str, Any], key: str) -> list[object]:
    value = told.get(key, [])
    if not isinstance(value, list):
        raise InputError(f"{key} is a list, such as {key} = [ … ]")
    return value


def _tables(told: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = _items(told, key)
    tables = [one for one in found if isinstance(one, Mapping)]
    if len(tables) < len(found):
        raise InputError(f"{key} are tables: [[{key}]] with name and engine")
    return tables


def _table(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = told.get(key, {})
    if not isinstance(value, Mapping):
        raise InputError(f"{key} is a table, such as {key} = {{context = 4096}}")
    return value


def _texts(told: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = _items(told, key)
    texts = tuple(one for one in found if isinstance(one, str))
    if len(texts) < len(found):
        raise InputError(f"{key} is a list of texts")
    return texts


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key, "")
    if not isinstance(value, str):
        raise InputError(f"{key} is a text")
    return value


def _whole_numbers(told: Mapping[str, Any], key: str, default: tuple[int, ...]) -> tuple[int, ...]:
    if key not in told:
        return default
    found = _items(told, key)
    numbers = tuple(one for one in found if type(one) is int and -(1 << 63) <= one < 1 << 63)
    if len(numbers) < len(found) or not numbers:
        raise InputError(f"{key} takes whole numbers of 64 bits, at least one")
    return numbers


def _written(value: object) -> str:
    """Write a value as `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
