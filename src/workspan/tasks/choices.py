"""Multiple choice as rows write it: lists, objects, labelled columns; and which choice is right."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workspan.legible import counted

LETTERS = "ABCDEFGHIJ"

_LABELLED = re.compile(
    r"(?P<stem>(?:(?:option|choice|opt|op|sol|solution|ending|ans|answer|candidate)[_ ]?)?)"
    r"(?P<label>[a-j]|10|[0-9])"
)
_WRONG = re.compile(r"(?:incorrect[_ ]answer|distractor|wrong[_ ]answer)s?[_ ]?\d*")
_PREFIX = re.compile(r"\s*\(?([A-J])[).:]\s*(.*)", re.DOTALL)
_KEY = re.compile(r"\(?([A-Ja-j])\)?[.:)]?")
_NAMED = re.compile(r"(?:option|choice|sol|ending|ans|answer)[_ ]?([a-j]|\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of one row, in the order in which they are shown."""

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """What the row calls them, where it does."""
    base: int | None = None
    """Where a number counts from, if the form of the row says so."""
    right: int | None = None
    """The place of the right one, where the choices say that themselves."""
    said: str = ""
    """What a person should know about how they were read."""
    are_numbers: bool = False
    """The row writes them as numbers, not as texts: then a number may name one by its value."""


def choices_of(value: Any) -> Choices:
    """Read a column that holds the choices.

    Raises:
        ValueError: its form is none that we know; says what would be right.
    """
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, Mapping):
        return _of_object(value)
    if not isinstance(value, list | tuple):
        raise ValueError(f"choices must be a list of texts, not {value!r:.80}")  # noqa: TRY004
    if value and all(isinstance(item, Mapping) for item in value):
        return _of_objects(value)
    if not all(
        isinstance(item, str | int | float) and not isinstance(item, bool) for item in value
    ):
        raise ValueError(f"choices must be a list of texts, not {value!r:.80}")
    texts = tuple(str(item).strip() for item in value)
    prefixed = [_PREFIX.fullmatch(text) for text in texts]
    if texts and all(found and found[1] == LETTERS[i] for i, found in enumerate(prefixed[:10])):
        return _counted(Choices(tuple(found[2].strip() for found in prefixed if found)))
    are_numbers = not any(isinstance(item, str) for item in value)
    return _counted(Choices(texts, are_numbers=are_numbers))


def _parsed(text: str) -> Any:
    """Read a cell of a table: JSON, a Python literal, or lines with letters."""
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(found, list | tuple | dict):
            return found
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(_PREFIX.fullmatch(line) for line in lines):
        return lines
    raise ValueError(f"choices must be a list of texts, not {text!r:.80}")


def _of_object(value: Mapping[str, Any]) -> Choices:
    fields = {str(name).lower(): held for name, held in value.items()}
    texts = fields.get("text", fields.get("choices"))
    labels = fields.get("label", fields.get("labels"))
    if isinstance(texts, list | tuple) and isinstance(labels, list | tuple):
        if len(texts) != len(labels):
            raise ValueError(
                f"it has {counted(len(texts), 'choice')} and {counted(len(labels), 'label')}"
            )
        if "choices" in fields and set(labels) <= {0, 1}:  # TruthfulQA: 1 is a true one
            if sum(labels) != 1:
                raise ValueError(f"{sum(labels)} choices are marked as right: mark one")
            return _counted(Choices(tuple(map(str, texts)), right=[*labels].index(1)))
        return _counted(Choices(tuple(map(str, texts)), tuple(map(str, labels))))
    if isinstance(texts, list | tuple):
        return choices_of(texts)
    scored = [type(held) in (int, float) for held in value.values()]
    if len(scored) > 1 and all(scored):  # BIG-bench: each choice with its score
        best = max(value.values())
        if [*value.values()].count(best) != 1:
            raise ValueError("several choices have the best score: one must be right")
        return _counted(Choices(tuple(value), right=[*value.values()].index(best)))
    named = {str(name).strip(): held for name, held in value.items() if held is not None}
    if named and all(isinstance(held, str | int | float) for held in named.values()):
        return _counted(Choices(tuple(str(h).strip() for h in named.values()), tuple(named)))
    raise ValueError(f"choices are an object with {', '.join(map(str, value))}: write a list")


def _of_objects(value: Sequence[Mapping[str, Any]]) -> Choices:
    texts, labels = [], []
    for item in value:
        fields = {str(name).lower(): held for name, held in item.items()}
        text = next((fields[k] for k in ("text", "value", "content") if k in fields), None)
        label = next((fields[k] for k in ("label", "key", "id") if k in fields), None)
        if text is None:
            raise ValueError(f"a choice has {', '.join(item)}: write its text")
        texts.append(str(text).strip())
        labels.append("" if label is None else str(label))
    return _counted(Choices(tuple(texts), tuple(labels) if all(labels) else ()))


def labelled(row: Mapping[str, Any]) -> tuple[Choices, set[str]] | None:
    """Find choices in columns of their own, such as ``option1`` or ``A``; names are lower case.

    Returns:
        The choices, and the columns that hold them; None where there are none.
    """
    stems: dict[str, dict[str, str]] = {}
    for name in row:
        found = _LABELLED.fullmatch(name)
        if found and (found["stem"] or found["label"].isalpha()):
            stems.setdefault(found["stem"], {})[found["label"]] = name
    for by_label in stems.values():
        for first in ("abcdefghij", "123456789", "0123456789"):
            names = [by_label[label] for label in first if label in by_label]
            in_order = [label for label in first if label in by_label] == [*first[: len(names)]]
            filled = [name for name in names if row[name] not in (None, "")]
            if len(filled) < 2 or not in_order or filled != names[: len(filled)]:
                continue
            if not all(isinstance(row[name], str | int | float) for name in filled):
                continue
            texts = tuple(str(row[name]).strip() for name in filled)
            if first[0] == "a":
                return _counted(Choices(texts)), set(names)
            labels = tuple(first[: len(filled)])
            return _counted(Choices(texts, labels, base=int(first[0]))), set(names)
    return None


def right_and_wrong(row: Mapping[str, Any], seed: str) -> tuple[Choices, set[str]] | None:
    """Find one right answer and wrong ones in columns of their own; names are lower case."""
    right = next(
        (n for n in ("correct_answer", "correct answer", "best_answer") if row.get(n)), None
    )
    wrong = [name for name in row if _WRONG.fullmatch(name) and row[name]]
    if right is None or not wrong:
        return None
    others: list[str] = []
    for name in sorted(wrong):
        held = row[name]
        others += [str(one) for one in held] if isinstance(held, list | tuple) else [str(held)]
    texts = [str(row[right]).strip(), *(text.strip() for text in others)]

    def drawn(text: str) -> bytes:
        return hashlib.blake2b(f"{seed}\n{text}".encode(), digest_size=8).digest()

    order = tuple(sorted(texts, key=drawn))
    said = "the order of the choices is drawn from the question"
    found = _counted(Choices(order, right=order.index(texts[0]), said=said))
    return found, {right, *wrong}


def _counted(found: Choices) -> Choices:
    if len(found.texts) not in range(2, len(LETTERS) + 1):
        raise ValueError(f"choices must be 2 to {len(LETTERS)}, not {len(found.texts)}")
    return found


def as_index(key: Any) -> int | None:
    """Return the number that a key may be a place by, or None."""
    if type(key) is int:
        return key
    if isinstance(key, float) and key.is_integer():
        return int(key)
    is_number = isinstance(key, str) and re.fullmatch(r"\d{1,2}", key.strip())
    return int(key) if is_number else None


def is_place(key: Any, found: Choices) -> bool:
    """Tell whether a key can be nothing but a number that counts the choices.

    A whole number counts even where columns are numbered: PIQA's 1 is its second choice, ``sol2``.
    """
    text = str(key).strip()
    is_whole = type(key) is int
    is_label = text in found.labels and not (is_whole and found.base is not None)
    is_text = text in found.texts and not (is_whole and not found.are_numbers)
    return as_index(key) is not None and not is_label and not is_text


def right_place(key: Any, found: Choices, base: int | None) -> tuple[int, str]:
    """Say which choice is right, from 0, and how that was read.

    Raises:
        ValueError: the key names none of them, or it can't be told which.
    """
    if isinstance(key, list | tuple):
        if len(key) != 1:
            raise ValueError(f"the answer names {len(key)} choices, and only one can be chosen")
        key = key[0]
    text = str(key).strip()
    if text in found.labels and not is_place(key, found):
        return found.labels.index(text), "the label of a choice"
    if text in found.texts:
        return _among_texts(key, text, found, base)
    if is_place(key, found):
        return _by_number(key, found, base)
    letter = _KEY.fullmatch(text)
    if letter and (place := _lettered(letter[1].upper(), found)) is not None:
        return place, "the letter of a choice"
    if named := _NAMED.fullmatch(text):
        if named[1].isdigit():
            return _by_number(named[1], found, found.base)
        return right_place(named[1], found, base)
    folded = [choice.casefold() for choice in found.texts]
    if folded.count(text.casefold()) == 1:
        return folded.index(text.casefold()), "the text of a choice"
    raise ValueError(f"the answer must be one of the choices or its letter, not {text!r:.80}")


def _among_texts(key: Any, text: str, found: Choices, base: int | None) -> tuple[int, str]:
    """Read a key that is the text of a choice, and may be a number that counts them as well."""
    if as_index(key) in range(len(found.texts)):
        is_whole = type(key) is int
        if base is not None or (is_whole and not found.are_numbers):
            return _by_number(key, found, base)  # MMLU: choices "8", "2", "24" and the class 2
        if is_whole and found.texts.index(text) != key:
            raise ValueError(
                f"the answer {key!r} may be the value of a choice or its place: write it as a text "
                "or a letter"
            )
    return found.texts.index(text), "the text of a choice"


def _lettered(letter: str, found: Choices) -> int | None:
    labels = [label.upper() for label in found.labels]
    if letter in labels:
        return labels.index(letter)
    place = LETTERS.index(letter)
    return place if place < len(found.texts) else None


def _by_number(key: Any, found: Choices, base: int | None) -> tuple[int, str]:
    if base is None and found.base is not None and isinstance(key, str):
        base = found.base
    if base is None and type(key) is not str:
        base = 0  # as data sets number their classes
    if base is None:
        raise ValueError(
            f"the answer {key!r} may count the choices from 0 or from 1, and no row tells: write "
            "the letter or the text of the choice"
        )
    place = (as_index(key) or 0) - base
    if not 0 <= place < len(found.texts):
        last = base + len(found.texts) - 1
        raise ValueError(f"the answer {key!r} is no choice from {base} to {last}")
    return place, f"a number that counts the choices from {base}"
