"""Data sets of the Hugging Face hub by name, for those online."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workspan.answers import extract
from workspan.errors import DataError, MissingDependency, SpecError, nearest
from workspan.tasks.base import Task
from workspan.tasks.files import some
from workspan.tasks.rows import read_row

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "problem", "prompt", "input", "query"),
    "answer": ("answer", "final_answer", "target", "label", "output", "solution"),
    "choices": ("choices", "options"),
    "id": ("id", "unique_id", "task_id", "question_id"),
    "tests": ("tests", "test_list"),
}
"""Our fields, and the columns that stand for them in known data sets, the likeliest first."""

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
        return some(tasks_of(_fetch(self.dataset, self.parts), self.name), limit, seed)


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
    """Make tasks of rows whose columns are named as data sets do.

    Of a worked solution that ends in ``#### 18`` the reference is 18, and of one with a box what is
    in the last box; a whole number stands for the choice at that place, from 0.

    Raises:
        DataError: there is no column for the question or the answer, or a row does not fit.
    """
    tasks = []
    for i, row in enumerate(rows, 1):
        columns = _columns(row, name)
        fields = {ours: row[theirs] for ours, theirs in columns.items()}
        try:
            tasks.append(read_row(_plain(fields), f"{name}/{i}"))
        except ValueError as error:
            raise DataError(str(error), path=name, line=i) from None
    if not tasks:
        raise DataError("holds no rows", path=name)
    return tasks


def _columns(row: Mapping[str, Any], name: str) -> dict[str, str]:
    """Map our fields to the row's columns, whatever their case."""
    present = {column.lower(): column for column in row}
    found = {
        ours: present[theirs[0]]
        for ours, known in _COLUMNS.items()
        if (theirs := [column for column in known if column in present])
    }
    for ours in ("question", "answer"):
        if ours not in found and not (ours == "answer" and "tests" in found):
            wanted = ", ".join(_COLUMNS[ours])
            has = ", ".join(row)
            raise DataError(f"no column for the {ours} ({wanted}): it has {has}", path=name)
    return found


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Reduce a worked solution to its answer, and a choice's number or text to what we read."""
    choices, answer = fields.get("choices"), fields.get("answer")
    if isinstance(choices, Mapping):  # {"text": [...], "label": [...]}
        choices = choices.get("text")
    if choices:
        fields["choices"] = choices
        if type(answer) is int and 0 <= answer < len(choices):
            fields["answer"] = choices[answer]
    elif isinstance(answer, str) and "####" in answer:
        fields["answer"] = answer.rpartition("####")[2].strip()
    elif isinstance(answer, str) and "\\boxed{" in answer:
        fields |= {"answer": extract(answer, "math"), "kind": "math"}
    return fields


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
