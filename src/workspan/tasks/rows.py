"""From one row of a file or data set to a task: which fields there are and what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from workspan.answers import MARKED
from workspan.errors import nearest
from workspan.graders.base import Grader
from workspan.graders.code import Code
from workspan.graders.equivalence import Equivalence, Ungraded
from workspan.tasks.base import Task
from workspan.tasks.natural_plan import READERS as NATURAL_PLAN
from workspan.tasks.natural_plan import planned
from workspan.types import AnswerKind, Message, Problem, Prompt, Role

FIELDS = (
    *("id", "prompt", "question", "messages", "answer", "reference", "kind", "answer_type"),
    *("choices", "tests", "meta", "task"),
)

_KINDS: Mapping[str, AnswerKind] = {
    "text": "text",
    "math": "math",
    "number": "number",
    "choice": "choice",
    "code": "code",
    "exact": "text",
    "string": "text",
    "short_text": "text",
    "yesno": "text",
    "python_literal": "text",
    "integer": "number",
    "latex_expr": "math",
    "python_function": "code",
}
"""Kinds, and other words for them that data sets use."""

_UNGRADED = re.compile(r"free_text_graded|expression24|grid25|plan|graph_\w+|rg_scored")
"""Answer types whose right answers are more than one, so that the reference can't tell them."""

_NUMBER = re.compile(r"[-+]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
_LETTERS = "ABCDEFGHIJ"


def read_row(row: Mapping[str, Any], fallback_id: str) -> Task:
    """Make a task of named fields; None counts as absent.

    ``question`` is completed with the instruction that marks the answer, ``prompt`` and
    ``messages`` are sent as they stand. A strategy sees the prompt, the kind and ``task``; the
    reference, ``tests`` and ``meta`` are the grader's.

    Raises:
        ValueError: a field is unknown, missing or of the wrong type; says what would be right.
    """
    row = {name: value for name, value in row.items() if value is not None}
    for name in row:
        if name not in FIELDS:
            raise ValueError(f"unknown field {name!r}: {nearest(name, FIELDS)}")
    meta = _meta(row.get("meta", {}))
    choices = _texts(row, "choices")
    tests = _tests(row, meta)
    reference = _one_of(row, "answer", "reference", str | int | float)
    given = _one_of(row, "kind", "answer_type", str)
    written = "" if reference is None else str(reference).strip()
    kind = _KINDS.get(given, "text")
    if given is None:
        kind = _shown(choices, tests, written)
    elif given not in _KINDS and not _UNGRADED.fullmatch(given):
        raise ValueError(f"unknown kind {given!r}: {nearest(given, get_args(AnswerKind))}")
    if kind == "choice" and not choices and written.isdecimal():
        kind = "number"  # options that the prompt numbers
    problem = Problem(
        _id(row, fallback_id),
        _prompt(row, choices, kind),
        kind,
        _metadata(row, choices, kind),
    )
    written = _letter(written, choices) if kind == "choice" and written else written
    data: dict[str, object] = {"meta": meta}
    if kind == "code" and len(problem.prompt) == 1 and "entry_point" in meta:
        data["preamble"] = problem.prompt[0].content  # the head of the function to complete
    task = Task(problem, written, _grader(given, kind, written, tests), tests, data)
    published = given == "plan" and row.get("task") in NATURAL_PLAN
    return planned(task, row["task"], meta) if published else task


def _grader(given: Any, kind: AnswerKind, reference: str, tests: tuple[str, ...]) -> Grader:
    if given is not None and _UNGRADED.fullmatch(given):
        return Ungraded(f"has answers of type {given!r}, which need a checker of their own")
    if kind == "code" and tests:
        return Code()
    if not reference:
        return Ungraded("has no reference answer to grade by")
    return Equivalence()


def _metadata(row: Mapping[str, Any], choices: tuple[str, ...], kind: AnswerKind) -> dict[str, str]:
    """Say what strategies may know beside the prompt: the task's name, the letters to answer."""
    named = {"task": row["task"]} if isinstance(row.get("task"), str) else {}
    letters = {"choices": "\n".join(_LETTERS[: len(choices)])} if kind == "choice" else {}
    return {**named, **letters} if choices else named


def _shown(choices: tuple[str, ...], tests: tuple[str, ...], reference: str) -> AnswerKind:
    """Choose the kind that choices, tests or the reference show, where none is named."""
    if choices or tests:
        return "choice" if choices else "code"
    return "number" if _NUMBER.fullmatch(reference) else "text"


def _prompt(row: Mapping[str, Any], choices: tuple[str, ...], kind: AnswerKind) -> Prompt:
    given = [name for name in ("prompt", "question", "messages") if name in row]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise ValueError(f"give one of prompt, question and messages: there is {found}")
    value = row[given[0]]
    if isinstance(value, list) or given[0] == "messages":
        return _messages(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{given[0]} must be the problem's text, not {value!r}")
    options = "".join(
        f"\n{letter}) {choice}" for letter, choice in zip(_LETTERS, choices, strict=False)
    )
    marked = f"\n\n{MARKED}" if given[0] == "question" and kind != "code" else ""
    return (Message("user", value + options + marked),)


def _messages(value: object) -> Prompt:
    try:
        turns = msgspec.convert(value, list[_Turn])
    except msgspec.ValidationError as error:
        right = '[{"role": "user", "content": "..."}]'
        raise ValueError(f"messages must be like {right}: {error}") from None
    if not turns or turns[-1].role == "assistant":
        raise ValueError("messages must end with what the model is to answer")
    return tuple(Message(turn.role, turn.content) for turn in turns)


class _Turn(msgspec.Struct, forbid_unknown_fields=True):
    role: Role
    content: str


def _id(row: Mapping[str, Any], fallback: str) -> str:
    value = row.get("id", fallback)
    if type(value) not in (str, int) or value == "":
        raise ValueError(f"id must be a text or a whole number, not {value!r}")
    return str(value)


def _one_of(row: Mapping[str, Any], name: str, other: str, types: Any) -> Any:
    if name in row and other in row:
        raise ValueError(f"give {name} or {other}, not both: they mean the same")
    value = row.get(name, row.get(other))
    if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
        wanted = "a text" if types is str else "a text or a number"
        raise ValueError(f"{name if name in row else other} must be {wanted}, not {value!r}")
    return value


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{name} must be a list of texts, not {value!r}")
    if name == "choices" and len(value) not in (0, *range(2, len(_LETTERS) + 1)):
        raise ValueError(f"choices must be 2 to {len(_LETTERS)}, not {len(value)}")
    return tuple(value)


def _tests(row: Mapping[str, Any], meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the field ``tests``, or the test function that ``meta`` holds, called."""
    if "tests" in row:
        is_one = isinstance(row["tests"], str)
        return (row["tests"],) if is_one else _texts(row, "tests")
    test, entry_point = meta.get("test"), meta.get("entry_point")
    if isinstance(test, str) and isinstance(entry_point, str) and "def check(" in test:
        return (f"{test}\n\ncheck({entry_point})",)
    return ()


def _meta(value: object) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(value) if isinstance(value, str) else value
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"meta must be an object or its JSON text: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"meta must be an object or its JSON text, not {value!r}")  # noqa: TRY004
    return found


def _letter(reference: str, choices: tuple[str, ...]) -> str:
    """Return the letter that a reference stands for: itself, or the place of the choice it is."""
    if reference in choices:
        return _LETTERS[choices.index(reference)]
    letter = reference.strip("().").upper()
    if len(letter) != 1 or letter not in _LETTERS[: len(choices) or None]:
        raise ValueError(f"the answer must be one of the choices or its letter, not {reference!r}")
    return letter
