"""From one row of a file or data set to a task: which fields there are and what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

import msgspec

from workspan.answers import MARKED
from workspan.data.types import AnswerKind, Message, Problem, Prompt, Role
from workspan.errors import InputError, nearest
from workspan.protocol.chat_messages import read_content
from workspan.tasks.base import Grader, Task
from workspan.tasks.choices import LETTERS, Choices, right_place
from workspan.tasks.graders.code import Code
from workspan.tasks.graders.equivalence import Equivalence, Ungraded
from workspan.tasks.natural_plan import READERS as NATURAL_PLAN
from workspan.tasks.natural_plan import planned
from workspan.tasks.references import Reference, options, reference
from workspan.tasks.shapes import shaped

FIELDS = (
    *("id", "prompt", "question", "messages", "answer", "reference", "kind", "answer_type"),
    *("choices", "tests", "meta", "task"),
)
"""Our own names; `shapes` brings those of others to them."""

_KINDS: Mapping[str, AnswerKind] = {
    **{kind: kind for kind in get_args(AnswerKind)},
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


_OURS = (
    (
        frozenset({"problem", "answer", "votes", "strategy", "stop"}),
        "this is what a model answered (workspan solve --output), and nobody has said whether it "
        "is right: give the file of the problems; workspan label judges answers",
    ),
    (
        frozenset({"labels", "answers", "n", "seed"}),
        "this is a file of workspan label, which workspan certify takes: it holds judgements and "
        "no questions; workspan label ANSWERS --to it --input PROBLEMS --answered FILE.jsonl "
        "writes the problems with the answers that are right: give that file",
    ),
)
"""Fields by which lines of our own are known that hold no problem, and what is said of them."""


def read_row(row: Mapping[str, Any], fallback_id: str, base: int | None = None) -> Task:
    """Make a task of named fields; None counts as absent.

    ``question`` is completed with the instruction that marks the answer, ``prompt`` and
    ``messages`` are sent as they stand. A strategy sees the prompt, the kind and ``task``; the
    reference, ``tests`` and ``meta`` are the grader's. Columns that nothing needs are left out.
    ``task.data["read"]`` says how the reference was read.

    Args:
        row: one row.
        fallback_id: of a row without an id.
        base: from which number the file's numbers count choices, where its rows tell.

    Raises:
        ValueError: a field is missing, of the wrong type or misspelt; says what would be right.
    """
    _check_problem(row)
    fields = shaped(row, fallback_id)
    meta = _meta(fields.get("meta", {}))
    tests = _tests(fields, meta)
    given = _given(fields)
    choices: Choices | None = fields.get("choices")
    asked = _asked_text(fields)
    if choices is not None:
        found = _chosen(choices, fields, base)
    elif tests or given == "code" or _kind(given) == "code":
        found = _program(fields)
    else:
        kind = _kind(given)
        value = fields.get("answer")
        is_numbered = kind == "choice" and str(value).strip().isdecimal()
        found = reference(value, asked, "number" if is_numbered else kind)
    if not found.texts and not tests:
        _check_spelling(row, fields)
    problem = Problem(
        _id(fields, fallback_id),
        _prompt(fields, choices, found.kind),
        found.kind,
        {"task": fields["task"]} if isinstance(fields.get("task"), str) else {},
        _choices(fields, choices, found),
    )
    right = found.texts[0] if found.texts else ""
    if found.kind == "choice" and choices is None and right:
        right = _letter(right)
    data: dict[str, object] = {"meta": meta, "read": f"{found.kind}: {found.why}"}
    if len(found.texts) > 1:
        data["aliases"] = found.texts[1:]
    if found.kind == "code" and len(problem.prompt) == 1 and "entry_point" in meta:
        data["preamble"] = problem.prompt[0].text  # the head of the function to complete
    task = Task(problem, right, _grader(given, found, tests), tests, data)
    published = given == "plan" and fields.get("task") in NATURAL_PLAN
    return planned(task, fields["task"], meta) if published else task


def _check_problem(row: Mapping[str, Any]) -> None:
    """Refuse what our own commands wrote of problems: what a model answered is no right answer.

    Raises:
        ValueError: it is a line of such a file.
    """
    for marks, said in _OURS:
        if marks <= row.keys():
            raise ValueError(said)


def _given(fields: Mapping[str, Any]) -> str | None:
    """Return the kind that the row names.

    Raises:
        ValueError: there is no such kind.
    """
    if "kind" in fields and "answer_type" in fields:
        raise ValueError("give kind or answer_type, not both")
    name = "kind" if "kind" in fields else "answer_type"
    given = fields.get(name)
    if given is not None and not isinstance(given, str):
        raise ValueError(f"{name} must be a text, not {given!r}")
    if given is None or given in _KINDS or _UNGRADED.fullmatch(given):
        return given
    if name == "answer_type":
        return None  # OlympiadBench and others mean something else by it
    raise ValueError(f"unknown kind {given!r}: {nearest(given, get_args(AnswerKind))}")


def _kind(given: str | None) -> AnswerKind | None:
    if given is None:
        return None
    return _KINDS.get(given, "text")


def _chosen(choices: Choices, fields: Mapping[str, Any], base: int | None) -> Reference:
    """Say which of the choices is right, by letter."""
    value = fields.get("answer")
    if choices.right is not None:
        why = choices.said or "the row marks the right choice"
        return Reference("choice", (LETTERS[choices.right],), why)
    if value is None or value == "":
        return Reference("choice", (), "there is no reference")
    place, why = right_place(value, choices, base)
    for other in fields.get("also", ()):
        if right_place(other, choices, base)[0] != place:
            raise ValueError(f"the row names two choices as right, {value!r} and {other!r}")
    return Reference("choice", (LETTERS[place],), why)


def _program(fields: Mapping[str, Any]) -> Reference:
    value = fields.get("answer")
    texts = (value.strip(),) if isinstance(value, str) and value.strip() else ()
    return Reference("code", texts, "a program, judged by its tests")


def _letter(text: str) -> str:
    """Return the letter of an option that the prompt lists.

    Raises:
        ValueError: it is none.
    """
    letter = text.strip("(). ").upper()
    if len(letter) != 1 or letter not in LETTERS:
        raise ValueError(f"the answer must be the letter of a choice, not {text!r:.80}")
    return letter


def _grader(given: str | None, found: Reference, tests: tuple[str, ...]) -> Grader:
    if given is not None and _UNGRADED.fullmatch(given):
        return Ungraded(f"has answers of type {given!r}, which need a checker of their own")
    if found.kind == "code" and tests:
        return Code()
    if not found.texts:
        return Ungraded(f"has no reference answer to grade by: {found.why}")
    return Equivalence()


def _choices(
    fields: Mapping[str, Any], choices: Choices | None, found: Reference
) -> tuple[str, ...]:
    """Return what strategies may choose from: the letters to answer, or options in the prompt."""
    if choices is not None:
        return tuple(LETTERS[: len(choices.texts)])
    return tuple(options(_asked_text(fields))) if "option" in found.why else ()


def _asked_text(fields: Mapping[str, Any]) -> str:
    value = next((fields[n] for n in ("question", "prompt", "messages") if n in fields), "")
    if isinstance(value, list):
        last = value[-1] if value else None
        value = last.get("content") if isinstance(last, Mapping) else ""
    return value if isinstance(value, str) else ""


def _prompt(fields: Mapping[str, Any], choices: Choices | None, kind: AnswerKind) -> Prompt:
    given = [name for name in ("prompt", "question", "messages") if name in fields]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise ValueError(f"give one of prompt, question and messages: there is {found}")
    value = fields[given[0]]
    texts = choices.texts if choices else ()
    shown = "".join(f"\n{letter}) {text}" for letter, text in zip(LETTERS, texts, strict=False))
    marked = "" if kind == "code" else f"\n\n{MARKED}"
    if isinstance(value, list) or given[0] == "messages":
        turns = _messages(value)
        if not fields.get("is_marked"):
            return turns
        last = turns[-1]
        return (*turns[:-1], last.plus(f"{shown}{marked}"))
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{given[0]} must be the problem's text, not {value!r:.80}")
    return (Message("user", value + shown + (marked if given[0] == "question" else "")),)


def _messages(value: object) -> Prompt:
    try:
        turns = msgspec.convert(value, list[_Turn])
    except msgspec.ValidationError as error:
        right = '[{"role": "user", "content": "..."}]'
        raise ValueError(f"messages must be like {right}: {error}") from None
    if not turns or turns[-1].role == "assistant":
        raise ValueError("messages must end with what the model is to answer")
    try:
        return tuple(Message(turn.role, read_content(turn.content)) for turn in turns)
    except InputError as error:
        raise ValueError(f"messages can't be read: {error}") from None


class _Turn(msgspec.Struct):
    role: Role
    content: str | list[dict[str, Any]]


def _id(fields: Mapping[str, Any], fallback: str) -> str:
    value = fields.get("id", fallback)
    if type(value) not in (str, int) or value == "":
        raise ValueError(f"id must be a text or a whole number, not {value!r}")
    return str(value)


def _check_spelling(row: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Refuse a column that looks like a field that is missing.

    Raises:
        ValueError: there is one.
    """
    known = [name for name in FIELDS if name not in fields]
    for name in row:
        if str(name).lower() not in FIELDS and get_close_matches(str(name), known, 1, 0.75):
            raise ValueError(f"unknown field {name!r}: {nearest(str(name), known)}")


def _tests(fields: Mapping[str, Any], meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the field ``tests``, or the test function that ``meta`` holds, called."""
    value = fields.get("tests")
    if isinstance(value, str):
        return (value,)
    if value is not None:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"tests must be a list of texts, not {value!r:.80}")
        return tuple(value)
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
