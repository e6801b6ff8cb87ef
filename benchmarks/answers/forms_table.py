"""The list of forms, one a line, as `forms.tsv` keeps it."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.answers.corpus import FORMS, corpus
from benchmarks.answers.forms.held_out import HELD_OUT, drawn, filled
from benchmarks.answers.forms.unread import UNREAD
from benchmarks.answers.wraps import WRAPS

FILE = Path(__file__).parent / "forms.tsv"


def lines() -> list[str]:
    """Return a heading and a line for each form, place and reply without an answer."""
    rng = random.Random(0)
    table = ["what\tname\tkinds\texample\tmeans\tsource"]
    for form in FORMS:
        written = form.write(rng)
        table.append(_line("form", form.name, form.kinds, written.text, written.truth, form.source))
    for wrap in WRAPS:
        form = next(
            f for f in FORMS if any(wrap.takes(f, k, f.write(random.Random(0))) for k in f.kinds)
        )
        written = form.write(random.Random(0))
        table.append(
            _line(
                "place",
                wrap.name,
                wrap.kinds,
                wrap.build(rng, written, form, written.differs[0]),
                written.truth,
                wrap.source,
            )
        )
    table.extend(
        _line(
            "no answer", each.name, each.kinds, each.write(rng), "", "" if each.finished else "cut"
        )
        for each in UNREAD
    )
    for held in HELD_OUT:
        parts = drawn(rng)
        text, means = filled(held.pattern, parts), filled(held.truth or "", parts)
        source = "" if held.finished else "cut"
        table.append(_line("held out", held.name, (held.kind,), text, means, source))
    seen = set()
    for row in corpus(each=2):
        if row.kind in ("code", "json") and row.form not in seen:
            seen.add(row.form)
            table.append(
                _line(row.kind, row.form, (row.kind,), row.text, row.value or row.truth or "", "")
            )
    return table


def _line(
    what: str, name: str, kinds: tuple[str, ...], example: str, means: str, source: str
) -> str:
    cells = (what, name, ",".join(kinds), repr(example)[1:-1], repr(means)[1:-1], source)
    return "\t".join(cell.replace("\t", "\\t") for cell in cells)
