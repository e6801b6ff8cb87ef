"""Data sets of the Hugging Face hub by name, for those online."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workspan.errors import DataError, MissingDependency, SpecError, nearest
from workspan.tasks.base import Task
from workspan.tasks.files import sampled
from workspan.tasks.shapes import ANSWERS, NATIVE, QUESTIONS
from workspan.tasks.tables import tasks_of_rows

_SPLITS = ("test", "validation", "train")


@dataclass(frozen=True, slots=True)
class HubTasks:
    """A data set of the hub as a task set; see `hub`."""

    name: str
    dataset: str
    parts: tuple[str, ...] = ()
    """Config, split or both."""
    source: str = "https://huggingface.co/datasets"

    @property
    def summary(self) -> str:
        """What its problems are."""
        return f"the data set {self.dataset}"

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Fetch the data set and choose by `seed` which of its problems a limit takes.

        Raises:
            InputError: the limit is below 1.
            SpecError: it has no such config or split.
            DataError: it can't be fetched, or its columns are none that we know.
            MissingDependency: the library `datasets` is not installed.
        """
        return sampled(tasks_of(_fetch(self.dataset, self.parts), self.name), limit, seed)


def hub(spec: str) -> HubTasks:
    """Open ``hf:OWNER/NAME[:CONFIG][:SPLIT]``; nothing is fetched until it is loaded.

    Raises:
        SpecError: not written like that.
    """
    name, *rest = spec.removeprefix("hf:").split(":")
    if name.count("/") != 1 or not all(name.split("/")) or len(rest) > 2 or not all(rest):
        raise SpecError("write it like hf:OWNER/NAME, hf:OWNER/NAME:CONFIG:SPLIT", text=spec)
    return HubTasks(spec, name, tuple(rest))


def tasks_of(rows: Iterable[Mapping[str, Any]], name: str) -> list[Task]:
    """Make tasks of rows whose columns are named as data sets do; see `shapes` and `references`.

    Raises:
        DataError: there is no column for the question or the answer, or a row does not fit.
    """
    rows = [*rows]
    if not rows:
        raise DataError("holds no rows", path=name)
    present = {column.lower() for column in rows[0]}
    if not present & {*QUESTIONS, *NATIVE, "ctx", "sent1", "sentence", "premise", "doc", "row"}:
        raise _no_column("question", QUESTIONS, rows[0], name)
    tasks = tasks_of_rows(enumerate(rows, 1), name, name)
    if not any(task.reference or task.tests for task in tasks):
        raise _no_column("answer", ANSWERS, rows[0], name)
    return tasks


def _no_column(what: str, known: Sequence[str], row: Mapping[str, Any], name: str) -> DataError:
    wanted, has = ", ".join(known[:6]), ", ".join(row)
    return DataError(f"no column for the {what} ({wanted}, …): it has {has}", path=name)


def _fetch(name: str, rest: Sequence[str]) -> Iterable[Mapping[str, Any]]:
    """Fetch a split: the one named, or the first of test, validation and train that there is."""
    try:
        import datasets
    except ImportError:
        raise MissingDependency("a data set of the hub", "hub") from None
    try:
        configs = datasets.get_dataset_config_names(name)
        splits_of = datasets.get_dataset_split_names
        config = next((word for word in rest if word in configs), None)
        splits = splits_of(name, config or configs[0])
        split = next((word for word in rest if word in splits and word != config), None)
        for word in rest:
            if word not in (config, split):
                hint = nearest(word, [*configs, *splits])
                raise SpecError(f"{name} has no config or split {word!r}: {hint}")
        split = split or next((known for known in _SPLITS if known in splits), splits[0])
        rows: Iterable[Mapping[str, Any]] = datasets.load_dataset(
            name, config or configs[0], split=split
        )
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise DataError(f"can't be fetched: {error}", path=f"hf:{name}") from error
    return rows
