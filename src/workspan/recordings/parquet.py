"""Recorded runs in Parquet files: chains with their steps, or samples of each problem."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from workspan.data.types import AnswerKind
from workspan.errors import DataError, MissingDependency, nearest
from workspan.recordings.columns import checked
from workspan.recordings.drafts import (
    UNLOGGED,
    Draft,
    Refused,
    chain_of_steps,
    recording_of,
    samples_of,
)
from workspan.recordings.recording import Recording

NO_ANSWER = ("", "ERR")
"""How a recording says that no answer could be read."""

_COLUMNS = ("problem_id", "task", "model", "gold")
_FIELDS = ("answer", "correct", "score", "tokens", "chars")
_FORMS = ("steps", "samples")


@dataclass(frozen=True, slots=True)
class Recordings:
    """What a file holds: one recording a model and setting."""

    recordings: tuple[Recording, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Those that can't be replayed, by name: why."""


class _Row(NamedTuple):
    problem: str
    task: str
    model: str
    gold: str
    setting: str
    number: int
    effort: str
    items: tuple[tuple[Any, ...], ...]
    """The columns of its steps or samples, as `_FIELDS`."""


def read_recordings(
    path: str | Path,
    models: Iterable[str] = (),
    tasks: Iterable[str] = (),
    *,
    prompts: Mapping[str, str] | None = None,
    kind: AnswerKind = "text",
    no_answer: Iterable[str] = NO_ANSWER,
    unlogged: float = UNLOGGED,
    names_missing: bool = True,
) -> Recordings:
    """Read every recording of a Parquet file, in order of model and setting.

    One row is one chain (problem_id, task, model, chain, gold, steps: its interim answers with
    cumulative tokens, the last at its own end) or one problem (problem_id, task, model, gold,
    samples: finished chains with an answer and a length each). A column `setting` tells apart runs
    that are not samples of one distribution, a column `effort` says how much one was told to think.

    What a vote could not be counted fairly on is left out, and said so: see `drafts`.

    Args:
        path: the file.
        models: whose; all if empty.
        tasks: the task sets to read; all if empty.
        prompts: the question by problem id; a problem without one asks its id.
        kind: how answers are compared.
        no_answer: what stands for an answer that could not be read.
        unlogged: share of a recording's answers that may be missing.
        names_missing: a missing answer of a sample equals no other; else it is none.

    Raises:
        DataError: the file can't be read, is no such table, or holds nothing that can be replayed.
        MissingDependency: pyarrow is not installed.
    """
    table, form = _table(path)
    groups: dict[tuple[str, str], list[_Row]] = {}
    wanted = {"model": {*models}, "task": {*tasks}}
    for row in _rows(_chosen(table, wanted, path), form, str(path)):
        groups.setdefault((row.model, row.setting), []).append(row)
    found, left_out = [], {}
    for (model, setting), rows in sorted(groups.items()):
        try:
            drafts = [draft for row in rows for draft in _drafts(row, form, {*no_answer})]
            recording = recording_of(
                model,
                setting,
                drafts,
                kind,
                prompts or {},
                rows[0].effort,
                unlogged,
                names_missing=names_missing,
            )
            found.append(recording)
        except Refused as why:
            left_out[f"{model} {setting}".strip()] = str(why)
    if not found:
        said = "; ".join(f"{name}: {why}" for name, why in [*left_out.items()][:3])
        said = f"nothing here can be replayed: {said}" if said else "holds no chain of these tasks"
        raise DataError(said, path=str(path))
    return Recordings(tuple(found), left_out)


def read_chains(
    path: str | Path,
    model: str = "",
    tasks: Iterable[str] = (),
    *,
    prompts: Mapping[str, str] | None = None,
    kind: AnswerKind = "text",
    no_answer: Iterable[str] = NO_ANSWER,
) -> Recording:
    """Read the one recording of a model; `model` may be left out where there is only one.

    Raises:
        DataError: as `read_recordings`, or there are several.
        MissingDependency: pyarrow is not installed.
    """
    models = [model] if model else []
    found = read_recordings(
        path, models, tasks, prompts=prompts, kind=kind, no_answer=no_answer
    ).recordings
    if len(found) > 1:
        names = ", ".join(recording.name for recording in found[:8])
        raise DataError(f"say whose chains: known: {names}", path=str(path))
    return found[0]


def _chosen(table: Any, wanted: Mapping[str, set[str]], path: str | Path) -> Any:
    """Keep the rows of the models and tasks that are asked for; refuse names it does not hold."""
    import pyarrow
    from pyarrow import compute

    for column, names in wanted.items():
        if names:
            known = {*map(str, table.column(column).unique().to_pylist())}
            for name in sorted(names - known):
                said = f"unknown {column} {name!r}: {nearest(name, known)}"
                raise DataError(said, path=str(path))
            table = table.filter(compute.is_in(table.column(column), pyarrow.array(sorted(names))))
    return table


def _table(path: str | Path) -> tuple[Any, str]:
    """Read the columns that are needed, and tell the form by them."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingDependency("a Parquet file", "tasks") from None
    try:
        with parquet.ParquetFile(path) as file:  # `read_table` loads data sets, and those pandas
            form, columns = _form(file.schema_arrow, path)
            return file.read(columns=columns), form
    except (OSError, pyarrow.ArrowException) as error:
        if isinstance(error, OSError) and error.errno:  # the system's own; a torn file has none
            why = os.strerror(error.errno)
            raise DataError(f"can't be read: {why}", path=str(path)) from error
        raise DataError(f"not a sound Parquet file: {error}", path=str(path)) from error


def _form(schema: Any, path: str | Path) -> tuple[str, list[str]]:
    """Return the form of a table, and its columns that are read."""
    from pyarrow import types

    form = next((name for name in _FORMS if name in schema.names), None)
    if form is None:
        raise DataError("not a table of recorded runs: no column steps or samples", path=str(path))
    missing = [name for name in _COLUMNS if name not in schema.names]
    element = getattr(schema.field(form).type, "value_type", None)
    if element is None or not types.is_struct(element):
        raise DataError(f"the column {form} is no list of records", path=str(path))
    held = {element.field(i).name for i in range(element.num_fields)}
    missing += [f"{form}.answer"] * ("answer" not in held)
    missing += [f"{form}.tokens (or chars)"] * (not held & {"tokens", "chars"})
    if missing:
        raise DataError(f"lacks the column {', '.join(missing)}", path=str(path))
    extra = [name for name in ("setting", "chain", "effort") if name in schema.names]
    return form, [*_COLUMNS, *extra, form]


def _rows(table: Any, form: str, path: str) -> Iterator[_Row]:
    """Give each row with the columns of its items.

    They are read as flat columns: a dict for each item would take twenty times as long.

    Raises:
        DataError: a column holds what it can't.
    """
    items = table.column(form).combine_chunks()
    flat = items.flatten()
    held = [flat.type.field(i).name for i in range(flat.type.num_fields)]
    columns = [
        checked(flat.field(name), name, path).to_pylist() if name in held else [None] * len(flat)
        for name in _FIELDS
    ]
    plain = [table.column(name).to_pylist() for name in _COLUMNS]
    more = [
        table.column(name).to_pylist() if name in table.column_names else [blank] * len(table)
        for name, blank in (("setting", ""), ("chain", 0), ("effort", ""))
    ]
    start = 0
    for *row, length in zip(*plain, *more, items.value_lengths().to_pylist(), strict=True):
        end = start + (length or 0)
        problem, task, model, gold, setting, number, effort = row
        parts = tuple(tuple(column[start:end]) for column in columns)
        yield _Row(
            problem, task, model, gold or "", setting or "", number or 0, effort or "", parts
        )
        start = end


def _drafts(row: _Row, form: str, no_answer: set[str]) -> Sequence[Draft]:
    """Make the chains of a row, uncounted where they could not be."""
    answers, correct, score, tokens, chars = row.items
    read = tuple(None if answer in no_answer else answer for answer in answers)
    verdicts = tuple(
        right if right is not None else value for right, value in zip(correct, score, strict=True)
    )
    place = (row.problem, row.task, row.gold)
    if form == "steps":
        return [chain_of_steps(place, row.number, read, verdicts, tokens, chars)]
    return samples_of(place, read, verdicts, tokens, chars)
