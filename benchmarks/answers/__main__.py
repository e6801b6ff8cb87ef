"""Reading of answers: the corpus, benchmarks' references, other readers, speed, what changed.

    python -m benchmarks.answers --data ../shared/data --old OLD --peers /tmp/peers --page

OLD is a source tree of an earlier version (`git worktree add --detach OLD b743969`). Each part
can be left out: without --data no benchmark and no recording is read, without --old nothing is
timed, without --peers no other reader runs.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
from pathlib import Path

from benchmarks.answers import recorded, versions
from benchmarks.answers.beside import VERSIONS, own_tally, sample, tally, verdicts
from benchmarks.answers.corpus import CORPUS_SEED, Row, corpus
from benchmarks.answers.forms_table import FILE, lines
from benchmarks.answers.held import held_out, keep_first
from benchmarks.answers.misses import misses
from benchmarks.answers.page import Findings, page
from benchmarks.answers.published import PUBLISHED
from benchmarks.answers.scores import judge, score

from workspan.answers import equivalent, extract

_ROOT = Path(__file__).resolve().parents[2]
_KINDS = ("number", "math", "choice", "text", "code", "json")
_OTHER_SEEDS = (880301, 415926)
"""Drawn and read once the reader was done: nobody mended it by their replies."""


def _read(text: str, kind: str, finished: bool) -> str | None:
    return extract(text, kind, finished=finished)  # type: ignore[arg-type, unused-ignore]


def _same(a: str, b: str, kind: str) -> bool:
    return equivalent(a, b, kind)  # type: ignore[arg-type, unused-ignore]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, help="folder with problems/ and recordings/")
    parser.add_argument("--old", type=Path, help="source tree of the version to compare with")
    parser.add_argument("--peers", type=Path, help="folder for the other readers' environments")
    parser.add_argument("--peer-rows", type=int, default=1500, help="rows that other readers read")
    parser.add_argument("--rounds", type=int, default=6, help="paired rounds of timing")
    parser.add_argument("--each", type=int, default=14, help="replies for each form and kind")
    parser.add_argument("--misses", type=Path, help="write every form that missed there")
    parser.add_argument(
        "--changed",
        type=int,
        nargs="?",
        const=20,
        metavar="N",
        help="print N changed readings a kind, and nothing else",
    )
    parser.add_argument(
        "--forms", action="store_true", help="write forms.tsv anew, and nothing else"
    )
    parser.add_argument(
        "--first-look",
        action="store_true",
        help="keep what the held-out forms give before anything is mended, and nothing else",
    )
    parser.add_argument("--seed", type=int, default=CORPUS_SEED, help="another draws other replies")
    parser.add_argument("--label", help="what the page says was measured; default the commit")
    parser.add_argument("--page", action="store_true", help="write docs/results/answers.md")
    return parser.parse_args()


def _commit(options: argparse.Namespace) -> str:
    if options.label:
        return str(options.label)
    head = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(head, capture_output=True, text=True, check=True).stdout.strip()


def _found(options: argparse.Namespace, date: str) -> Findings:
    """Measure what was asked for."""
    rows = corpus(options.seed, options.each)
    asked = (("--data", options.data), ("--old", options.old), ("--peers", options.peers))
    parts = [f"{name} {name[2:].upper()}" for name, value in asked if value]
    found = Findings(command=" ".join(["python -m benchmarks.answers", *parts, "--page"]))
    found.date, found.commit = date, _commit(options)
    found.forms = len({row.form for row in rows})
    found.places = len({row.wrap for row in rows})
    found.corpus = score(rows, _read, _same)
    for seed in _OTHER_SEEDS:
        found.other_seeds[seed] = score(corpus(seed, options.each), _read, _same)
    found.held_out = score(held_out(options.seed + 1), _read, _same)
    if options.misses:
        shown = [*misses(found.corpus), "", "held out", *misses(found.held_out)]
        options.misses.write_text("\n".join(shown) + "\n")
    if options.data:
        found.benchmarks = score(recorded.benchmark_rows(options.data), _read, _same)
        found.families = recorded.families()
    if options.peers:
        _peers(found, rows, options)
    if options.old:
        _old(found, rows, options)
    found.hostile = versions.slowest(_ROOT, _KINDS)
    found.own_published = [
        judge(row, _read(row.text, row.kind, row.finished), _same) for row in PUBLISHED
    ]
    return found


def _peers(found: Findings, rows: list[Row], options: argparse.Namespace) -> None:
    few = sample(rows, options.peer_rows)
    found.sampled = len(few)
    for name in VERSIONS:
        found.beside[name] = tally(few, verdicts(name, few, options.peers))
        found.published[name] = verdicts(name, list(PUBLISHED), options.peers)
    found.beside["Workspan"] = own_tally(few, _read, _same)


def _old(found: Findings, rows: list[Row], options: argparse.Namespace) -> None:
    texts = [(row.text, row.kind) for row in rows if row.kind != "json"]
    found.speed["the corpus"] = versions.speed(options.old, _ROOT, texts, options.rounds)
    if options.data:
        outputs = [
            (text, kind)
            for _, kind, text, _ in recorded.recorded_texts(options.data, 600)
            if kind != "json"
        ]
        found.speed["recorded outputs"] = versions.speed(
            options.old, _ROOT, outputs, options.rounds
        )
        long = recorded.long_replies(options.data, rows)
        found.speed["the corpus after 4,000 characters of reasoning"] = versions.speed(
            options.old, _ROOT, long, options.rounds
        )
        found.changed = recorded.changed(options.data, options.old, _ROOT, 0)[0]


def _main() -> None:
    options = _options()
    if options.forms:
        FILE.write_text("\n".join(lines()) + "\n")
        return
    if options.changed is not None:
        counts, shown = recorded.changed(options.data, options.old, _ROOT, options.changed)
        print(
            "\n".join(
                [*(f"{kind}: {dict(count)}" for kind, count in sorted(counts.items())), *shown]
            )
        )
        return

    date = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    if options.first_look:
        held = score(held_out(options.seed), _read, _same)
        keep_first(held, options.seed, date, _commit(options))
        print("\n".join(misses(held)))
        return
    found = _found(options, date)
    text = page(found)
    print(text)
    if options.page:
        target = _ROOT / "docs/results/answers.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)


if __name__ == "__main__":
    _main()
