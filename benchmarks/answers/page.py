"""The results as a page."""

# ruff: noqa: E501 - rows of tables

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from benchmarks.answers.beside import VERSIONS, Verdict
from benchmarks.answers.held import first
from benchmarks.answers.published import PUBLISHED
from benchmarks.answers.scores import NONE, RIGHT, WRONG, Score
from benchmarks.paired import Ratio


@dataclass(slots=True)
class Findings:
    """All that one run found; parts that were left out are empty."""

    command: str
    date: str = ""
    commit: str = ""
    forms: int = 0
    places: int = 0
    sampled: int = 0
    corpus: Score = field(default_factory=Score)
    other_seeds: dict[int, Score] = field(default_factory=dict)
    held_out: Score = field(default_factory=Score)
    benchmarks: Score = field(default_factory=Score)
    families: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    beside: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    published: dict[str, dict[int, Verdict]] = field(default_factory=dict)
    own_published: list[str] = field(default_factory=list)
    speed: dict[str, tuple[Ratio, float, float]] = field(default_factory=dict)
    hostile: list[tuple[float, str, str]] = field(default_factory=list)
    changed: dict[str, Counter[str]] = field(default_factory=dict)


def page(found: Findings) -> str:
    """Return the page in Markdown."""
    parts = [
        "# Reading answers: results",
        "",
        f"Generated on {found.date} ({found.commit}) by `{found.command}`; not edited by hand. The corpus is made by",
        "`benchmarks/answers`, which shares no code with the reader; `benchmarks/answers/forms.tsv` lists its forms.",
        "",
        *_corpus(found),
        *_other_seeds(found),
        *_held_out(found),
        *_benchmarks(found),
        *_beside(found),
        *_published(found),
        *_speed(found),
        *_changed(found),
    ]
    return "\n".join(parts) + "\n"


def _share(count: int, of: int) -> str:
    return f"{100 * count / of:.2f} %" if of else ""


def _corpus(found: Findings) -> list[str]:
    totals = found.corpus.totals()
    everything: Counter[str] = Counter()
    for counts in totals.values():
        everything += counts
    rows = [
        f"## Corpus: {everything.total()} replies, {found.forms} forms in {found.places} places",
        "",
        "Read wrong: an answer that is not equal to the one meant, or any where none is given.",
        "",
        "| kind | replies | right | wrong | no answer |",
        "|---|---|---|---|---|",
    ]
    for kind, counts in [*sorted(totals.items()), ("all", everything)]:
        of = counts.total()
        rows.append(
            f"| {kind} | {of} | {_share(counts[RIGHT], of)} | {_share(counts[WRONG], of)} | {_share(counts[NONE], of)} |"
        )
    compared = sum(found.corpus.compared.values())
    missed: Counter[tuple[str, str]] = Counter(
        (row.kind, row.form) for _, row, _ in found.corpus.missed
    )
    whole = [
        f"{form} ({kind})"
        for (kind, form), n in sorted(missed.items())
        if n == found.corpus.verdicts[kind, form].total()
    ]
    return [
        *rows,
        "",
        f"Of {compared} pairs of different answers, compared both ways, {len(found.corpus.false_equal)} count as equal;",
        f"{len(found.corpus.false_apart)} pairs of equal answers count as different.",
        f"Forms of which no reply is read right: {', '.join(whole) or 'none'}.",
        "",
    ]


def _other_seeds(found: Findings) -> list[str]:
    if not found.other_seeds:
        return []
    rows = [
        "Other seeds, whose replies nobody has looked at:",
        "",
        "| seed | replies | right | wrong | no answer | different answers that count as equal |",
        "|---|---|---|---|---|---|",
    ]
    for seed, score in found.other_seeds.items():
        counts = _sum(score)
        of = counts.total()
        rows.append(
            f"| {seed} | {of} | {_share(counts[RIGHT], of)} | {_share(counts[WRONG], of)} | {_share(counts[NONE], of)} | {len(score.false_equal)} |"
        )
    return [*rows, ""]


def _sum(score: Score) -> Counter[str]:
    everything: Counter[str] = Counter()
    for counts in score.totals().values():
        everything += counts
    return everything


def _held_out(found: Findings) -> list[str]:
    kept = first()
    if not kept or not found.held_out.verdicts:
        return []
    forms = len({(row_kind, form) for row_kind, form in found.held_out.verdicts})
    rows = [
        f"## Held-out forms: {forms} whole replies that were written before the reader saw any of them",
        "",
        f"`forms/held_out.py` has them. The first run (seed {kept['seed']}, {kept['commit']}, {kept['date']}) is the only held-out one:",
        "what it missed was mended where it was one of a kind, so that the figures of today, on another seed, are no longer held out.",
        "",
        "| kind | first run: replies | right | wrong | no answer | today: replies | right | wrong | no answer |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    now = found.held_out.totals()
    everything = [sum(counts[i] for counts in kept["totals"].values()) for i in range(3)]
    for kind, was in [*kept["totals"].items(), ("all", everything)]:
        counts = _sum(found.held_out) if kind == "all" else now[kind]
        before = [sum(was), *(_share(count, sum(was)) for count in was)]
        of = counts.total()
        today = [of, *(_share(counts[verdict], of) for verdict in (RIGHT, WRONG, NONE))]
        rows.append(f"| {kind} | " + " | ".join(map(str, [*before, *today])) + " |")
    left = sorted(
        {f"{row.form} ({row.kind}): {verdict}" for verdict, row, _ in found.held_out.missed}
    )
    return [
        *rows,
        "",
        f"Missed in the first run: {'; '.join(kept['missed']) or 'none'}.",
        "",
        f"Missed today: {'; '.join(left) or 'none'}.",
        "",
    ]


def _benchmarks(found: Findings) -> list[str]:
    if not found.benchmarks.verdicts:
        return []
    rows = [
        "## Benchmarks' own solutions and references",
        "",
        "References of reasoning-gym that the data file cut at 2,000 characters are left out.",
        "",
        "| set | kind | replies | right | wrong | no answer |",
        "|---|---|---|---|---|---|",
    ]
    merged: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (kind, form), counts in found.benchmarks.verdicts.items():
        merged[form, kind] += counts
    for (form, kind), counts in sorted(merged.items()):
        rows.append(
            f"| {form} | {kind} | {counts.total()} | {counts[RIGHT]} | {counts[WRONG]} | {counts[NONE]} |"
        )
    tasks, right, junk = (sum(v[i] for v in found.families.values()) for i in range(3))
    lost = [name for name, v in found.families.items() if v[1] < v[0]]
    return [
        *rows,
        "",
        f"reasoning-gym: {len(found.families)} families, {right} of {tasks} own references graded right, {junk} junk or empty replies graded right.",
        f"Families with a reference that is not: {', '.join(lost) or 'none'}.",
        "",
    ]


def _beside(found: Findings) -> list[str]:
    if not found.beside:
        return []
    readers = [*found.beside]
    readers.sort(key=lambda name: name != "Workspan")
    kinds = sorted({kind for counts in found.beside.values() for kind in counts})
    rows = [
        f"## Beside other readers, {found.sampled} of the replies",
        "",
        "Each in an environment of its own: "
        + ", ".join(f"{name} {version}" for name, version in VERSIONS.items())
        + ".",
        "lm-eval: the filters and metrics of gsm8k, minerva_math and gpqa_cot_zeroshot, the lenient one of each;",
        'Inspect: match(numeric), math(), answer("letter"), answer("line"); lighteval: its extractive match for formulas and letters.',
        'Some are made for one form of reply and claim no more: the lines "plain" have only common forms (whole numbers, decimals,',
        "fractions, roots, pairs, letters) after marks, in sentences and in boxes. Numbers that are not whole are counted apart,",
        "since lm-eval's gsm8k compares text. A cell: right / wrong / no answer, in percent; then answers accepted that the reply does not give.",
        "",
        "| kind | replies | " + " | ".join(readers) + " |",
        "|---|---|" + "---|" * len(readers),
    ]
    for kind in kinds:
        cells = []
        for name in readers:
            counts = found.beside[name].get(kind)
            if not counts:
                cells.append("")
                continue
            of = counts["replies"]
            shares = " / ".join(f"{100 * counts[v] / of:.1f}" for v in (RIGHT, WRONG, NONE))
            cells.append(f"{shares}; {counts['accepts another']}")
        of = found.beside["Workspan"][kind]["replies"]
        rows.append(f"| {kind} | {of} | " + " | ".join(cells) + " |")
    return [*rows, ""]


def _published(found: Findings) -> list[str]:
    if not found.published:
        return []
    names = [*found.published]
    rows = [
        "## Published disagreements, with today's versions",
        "",
        '"accepts": takes an answer for right that the reply does not give.',
        "",
        "| thread | reply | means | Workspan | " + " | ".join(names) + " |",
        "|---|---|---|---|" + "---|" * len(names),
    ]
    for i, row in enumerate(PUBLISHED):
        cells = [found.own_published[i]]
        for name in names:
            verdict = found.published[name].get(i)
            if verdict is None:
                cells.append("")
                continue
            said = RIGHT if verdict.right else WRONG if verdict.read else NONE
            cells.append(
                said + (", accepts " + row.differs[i % len(row.differs)] if verdict.other else "")
            )
        reply = repr(row.text[-70:])[1:-1].replace("|", "\\|")
        rows.append(f"| {row.form} | `{reply}` | `{row.truth}` | " + " | ".join(cells) + " |")
    return [*rows, ""]


def _speed(found: Findings) -> list[str]:
    rows = ["## Speed", ""]
    for what, (ratio, old, new) in found.speed.items():
        rows.append(
            f"- {what}: CPU seconds of the earlier version over this one's {ratio} (above 1 is faster now); {old:.0f} and {new:.0f} µs a reply."
        )
    if found.speed:
        rows.append(
            "- A reply costs some tens of microseconds for rules that the earlier version has not: short ones take longer, long ones less."
        )
    over = [case for case in found.hostile if case[0] > 0.2]
    seconds, kind, name = found.hostile[0]
    rows.append(
        f"- hostile replies of 100 kB: {len(found.hostile)} cases, {len(over)} above 0.2 s; the slowest {seconds:.3f} CPU s ({kind}: {name})."
    )
    return [*rows, ""]


def _changed(found: Findings) -> list[str]:
    if not found.changed:
        return []
    rows = [
        "## Recorded outputs of real models whose reading changed",
        "",
        "`--changed` prints twenty of each kind. Only another value counts as a change, not another way to write it.",
        "",
        "| kind | replies | changed | another answer | answer lost | answer gained | equal to the reference only now | only before |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, counts in sorted(found.changed.items()):
        keys = (
            "another answer",
            "answer lost",
            "answer gained",
            "equals the reference now",
            "equalled it before",
        )
        rows.append(
            f"| {kind} | {counts['replies']} | {_share(counts['changed'], counts['replies'])} | "
            + " | ".join(str(counts[key]) for key in keys)
            + " |"
        )
    return [*rows, ""]
