"""The corpus: written forms in the places where replies put them, each with what it says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.answers.forms import choices, formulas, numbers, texts
from benchmarks.answers.forms.base import Form, Written
from benchmarks.answers.forms.programs import programs
from benchmarks.answers.forms.structures import Structured, structures
from benchmarks.answers.forms.unread import UNREAD
from benchmarks.answers.wraps import WRAPS, Wrap

FORMS: tuple[Form, ...] = (*numbers.FORMS, *formulas.FORMS, *choices.FORMS, *texts.FORMS)
CORPUS_SEED = 20261129


@dataclass(frozen=True, slots=True)
class Row:
    """One reply and what it says.

    Attributes:
        kind: the kind of answer asked for.
        form: how the answer is written.
        wrap: where it stands.
        text: the reply.
        truth: the answer, plainly; None where the reply gives none.
        differs: answers that must not compare equal to it.
        equals: further answers that must.
        finished: whether the model ended by itself.
        call: for programs, an expression to run.
        value: for programs, repr of what it must give; "" with `truth` the source as it stands.
    """

    kind: str
    form: str
    wrap: str
    text: str
    truth: str | None
    differs: tuple[str, ...] = ()
    equals: tuple[str, ...] = ()
    finished: bool = True
    call: str = ""
    value: str = ""


def corpus(seed: int = CORPUS_SEED, each: int = 14) -> list[Row]:
    """Make the corpus.

    Args:
        seed: the same seed gives the same rows.
        each: replies for each form and kind; places are dealt so that all are used alike.
    """
    rng = random.Random(seed)
    rows = [*_dealt(rng, each)]
    for unread in UNREAD:
        for kind in unread.kinds:
            seen = set()
            for _ in range(each):
                text = unread.write(rng)
                if text not in seen:
                    rows.append(
                        Row(
                            kind,
                            f"none.{unread.name}",
                            "none",
                            text,
                            None,
                            finished=unread.finished,
                        )
                    )
                seen.add(text)
    for program in programs(rng, max(2, each // 2)):
        truth = None if program.value is None else program.exact or program.call
        value = "" if program.exact or program.value is None else repr(program.value)
        rows.append(
            Row(
                "code",
                program.name,
                "program",
                program.text,
                truth,
                (),
                (),
                program.finished,
                program.call,
                value,
            )
        )
    rows.extend(_structured(item) for item in structures(rng, max(2, each // 2)))
    return rows


def _structured(item: Structured) -> Row:
    truth = item.truth or None
    return Row("json", item.name, "json", item.text, truth, item.differs, (), item.finished)


def _dealt(rng: random.Random, each: int) -> Iterator[Row]:
    for form in FORMS:
        for kind in form.kinds:
            decks: dict[bool, list[Wrap]] = {}
            for _ in range(each):
                written = form.write(rng)
                deck = decks.setdefault("\n" in written.text, [])
                if not deck:
                    deck.extend(wrap for wrap in WRAPS if wrap.takes(form, kind, written))
                    rng.shuffle(deck)
                wrap = deck.pop()
                yield _row(rng, kind, form, wrap, written)


def _row(rng: random.Random, kind: str, form: Form, wrap: Wrap, written: Written) -> Row:
    decoy = rng.choice([answer for answer in written.differs if answer.strip()])
    text = wrap.build(rng, written, form, decoy)
    return Row(kind, form.name, wrap.name, text, written.truth, written.differs, written.equals)
