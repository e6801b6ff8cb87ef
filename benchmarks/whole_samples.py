"""Whole samples: when a vote may stop, on every recording that has enough of them.

`auto` learns from the training folds of a recording (5 folds by problem), labels included: what a
vote counts by the length of its sample, and what one more sample brings at every price. Beside it,
in the same orders of the same samples, stand the full vote, one sample, Adaptive-Consistency (ASC
.95), ESC (windows of 5), Bayes factor 100 and ahead-by-4. Two ways to set its budget on the
training folds are shown: a share of each recording's full vote, and *one price* for all
recordings, in accuracy for a hundredth of the full vote, such that they take that share on the
mean (Everett 1963). The bound takes the price of each recording that was best afterwards.

Wide recordings have 20 samples a problem or more. Of those with 8 to 16 (public logs of Epoch AI,
CC BY 4.0: OTIS mock AIME and GPQA diamond) two samples alone are an eighth to a quarter of the full
vote. Groups with more than 10 % of the answers missing are left out; a missing answer votes for
nothing. Work is tokens, characters where nobody counted tokens.

Run with ``python -m benchmarks.whole_samples``; ``--only TEXT``, ``--runs N`` for fewer orders,
``--page FILE`` for the page. The same seeds give the same figures.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import numpy as np
from benchmarks.vote_stopping import (
    LEAST,
    Arena,
    Drawn,
    Outcome,
    asc,
    drawn_of,
    esc,
    full,
    learn,
    recordings,
)
from pyarrow import parquet

from workspan.data.budget import Budget
from workspan.lab.replay.methods import read_methods
from workspan.lab.replay.replay import replay
from workspan.recordings.parquet import read_recordings
from workspan.search.bayes_factor import exceeds
from workspan.strategies.auto.fit.vote_induction import PRICES
from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DATA = Path(__file__).parents[2] / "shared" / "data"
CHAINS = DATA / "chains" / "parallel_probe_qwen3.parquet"
EPOCH = {"OTIS": "epoch_otis_mock_aime", "GPQA": "epoch_gpqa_diamond"}
PARTS = ("wide", "few", "asked")
"""Recordings of 20 samples or more, those of 8 to 16, and chains that were asked on the way."""
FIFTH = 0.2
SHARES = (0.16, FIFTH, 0.25, 0.3)
"""Of the full vote's work."""
MOST_MISSING, FEWEST, ORDERS = 0.1, 8, 10
_RESAMPLES = 2_000
_HUGE, _FEW = 100, 1
"""Samples from which on Bayes factors are taken in so few orders."""
_MEASURED = 0.9
"""Share of the samples that must have a length for it to be the cost."""


class Ran(NamedTuple):
    """A rule on one recording: means over orders, by problems."""

    ahead: Floats
    """Of the full vote, in points."""
    work: Floats
    """In percent of its mean."""


class Found(NamedTuple):
    """What was found on one recording."""

    name: str
    width: int
    accuracy: float
    """Of the full vote, in percent."""
    scale: float
    """Its work."""
    rivals: dict[str, Ran]
    prices: list[Ran]
    """`auto` at each price."""
    shares: list[Ran]
    """`auto` at each share of the full vote's work."""
    learnt: list[list[float]]
    """[fold, price]: work on the training folds, as a share of the full vote's."""
    fold: Floats
    """[problem]"""
    by_length: float
    """What a vote counts by length, mean over folds."""


def epoch(data: Path) -> Iterator[Drawn]:
    """Read the recordings of hosted models that have enough samples and answers."""
    for task, file in EPOCH.items():
        rows = parquet.read_table(data / "recordings" / f"{file}.parquet").to_pylist()
        found: dict[tuple[str, ...], list[list[Any]]] = defaultdict(list)
        for row in rows:
            found[row["model"], row["setting"], row["effort"]].append(row["samples"])
        for (model, _, effort), problems in found.items():
            samples = [one for own in problems for one in own]
            missing = sum(one["answer"] is None for one in samples) / len(samples)
            if min(map(len, problems)) < FEWEST or missing > MOST_MISSING:
                continue
            cost = _measure(samples)
            told = [[(x["answer"], bool(x["correct"]), cost(x)) for x in own] for own in problems]
            word = "" if effort == "default" else f" {effort}"
            yield drawn_of(f"{task} {model.rpartition('/')[2]}{word}", told)


def _measure(samples: Sequence[Any]) -> Callable[[Any], int]:
    """Return what a sample costs: its tokens, else characters, else 1."""
    for unit in ("tokens", "chars"):
        known = [one[unit] for one in samples if one[unit]]
        if len(known) > _MEASURED * len(samples):
            usual = int(np.median(known))
            return lambda one, unit=unit, usual=usual: one[unit] or usual  # type: ignore[misc]
    return lambda _: 1


def watched(arena: Arena, stops: Callable[[Sequence[int]], bool], orders: int) -> Outcome:
    """Draw one sample after another until the counts of votes, largest first, say enough.

    Some orders of each problem's samples only: a Bayes factor is an integral for each state.
    """
    runs, width = arena.said.shape
    picked = np.flatnonzero(np.arange(runs) % arena.orders < orders)
    drawn = np.full(len(picked), width)
    known: dict[tuple[int, ...], bool] = {}
    for place, run in enumerate(picked):
        votes: Counter[int] = Counter()
        for n, group in enumerate(arena.said[run, :-1].tolist(), 1):
            if group == NONE:
                continue
            votes[group] += 1
            counts = tuple(sorted(votes.values(), reverse=True))
            if counts not in known:
                known[counts] = stops(counts)
            if known[counts]:
                drawn[place] = n
                break
    lead = arena.votes.lead[picked, drawn - 1]
    right = np.where(lead == NONE, 0, arena.grades[arena.votes.problem[picked], lead])
    means = (
        one.reshape(len(arena.drawn.groups), -1).mean(axis=1)
        for one in (right, arena.work[picked, drawn - 1])
    )
    return Outcome(0.0, *means)


def _is_ahead(counts: Sequence[int]) -> bool:
    first, second = [*counts, 0][:2]
    return first - second >= 4


def measure(drawn: Drawn, runs: int) -> Found:
    """Run everything on a recording."""
    n, width = drawn.groups.shape
    arena = Arena(drawn, max(ORDERS, runs // n))
    whole = full(arena)
    scale = float(whole.work.mean())

    def ran(one: Outcome) -> Ran:
        return Ran(100 * (one.accuracy - whole.accuracy), 100 * one.work / scale)

    rivals = {
        "one sample": arena.outcome(0.0, np.ones(len(arena.said), int)),
        "ASC .95": asc(arena, 0.95),
        "ESC 5": esc(arena, 5),
        "Bayes factor 100": watched(
            arena, lambda counts: exceeds(counts, 100), _FEW if width >= _HUGE else arena.orders
        ),
        "ahead by 4": watched(arena, _is_ahead, arena.orders),
    }
    rows = len(PRICES) + len(SHARES)
    ends, lead = np.zeros((2, rows, len(arena.votes.problem)), np.int64)
    learnt, fold, lengths = list[list[float]](), np.zeros(n), list[float]()
    for k, part in enumerate(learn(arena)):
        found = [part.ends(i) for i in range(len(PRICES))]
        at = [*range(len(PRICES)), *(part.evaluation.affordable(x * scale) for x in SHARES)]
        for row, i in enumerate(at):
            ends[row, part.runs], lead[row, part.runs] = found[i]
        learnt.append([part.evaluation.ended(i).work / scale for i in range(len(PRICES))])
        fold[arena.votes.problem[part.runs]] = k
        lengths.append(part.evaluation.weigher.by_length)
    done = [ran(arena.outcome(0.0, end, who)) for end, who in zip(ends, lead, strict=True)]
    told = ({name: ran(one) for name, one in rivals.items()}, done[: len(PRICES)])
    accuracy = 100 * float(whole.accuracy.mean())
    return Found(
        drawn.name,
        width,
        accuracy,
        scale,
        *told,
        done[len(PRICES) :],
        learnt,
        fold,
        float(np.mean(lengths)),
    )


async def asked(found: Sequence[Found], share: float) -> dict[str, Ran]:
    """Run the whole of `auto` on the chains that were asked on the way, at a share of each.

    It is a replay: probes are charged, chains that say what others left are counted against it.
    """
    told: dict[str, Ran] = {}
    for recording in read_recordings(CHAINS).recordings:
        name = recording.model.rpartition("/")[2]
        one = next((x for x in found if x.name.endswith(name)), None)
        if one is not None:
            budget = Budget(work=round(share * one.scale))
            whole = read_methods(f"self_consistency(n={one.width})")
            runs = [
                await replay([recording], rule, [limit], seeds=ORDERS)
                for rule, limit in ((read_methods("auto"), budget), (whole, Budget()))
            ]
            ours, theirs = ({x.problem: x for x in run.outcomes} for run in runs)
            ahead = [own.correct - theirs[name].correct for name, own in ours.items()]
            work = [own.work for own in ours.values()]
            told[one.name] = Ran(100 * np.array(ahead), 100 * np.array(work) / one.scale)
    return told


def priced(found: Sequence[Found], share: float) -> list[Ran]:
    """Run `auto` at one price for all, such that the training folds take so much on the mean.

    The price is of a hundredth of the full vote: what a sample must bring falls with the width.
    """
    rows = []
    for k in range(len(found[0].learnt)):
        at: list[int] = []
        for least in np.geomspace(0.002, 2.0, 200):
            at = [_at(one, least) for one in found]
            if np.mean([one.learnt[k][i] for one, i in zip(found, at, strict=True)]) <= share:
                break
        rows.append(at)
    told = []
    for j, one in enumerate(found):
        ahead, work = np.zeros((2, len(one.fold)))
        for k, at in enumerate(rows):
            held = one.fold == k
            ahead[held], work[held] = (x[held] for x in one.prices[at[j]])
        told.append(Ran(ahead, work))
    return told


def _at(one: Found, least: float) -> int:
    """Return the price of a sample, by its position, that is nearest to that of its share."""
    return int(np.abs(np.log(np.array(PRICES[:-1]) * one.width / least)).argmin())


def bound(found: Sequence[Found], share: float) -> list[Ran]:
    """Return what the best price of each recording would have given: chosen in hindsight."""
    low, high = 0.0, 1_000.0
    for _ in range(60):
        middle = (low + high) / 2
        picked = [_best(one, middle) for one in found]
        is_dear = np.mean([one.work.mean() for one in picked]) > 100 * share
        low, high = (middle, high) if is_dear else (low, middle)
    return [_best(one, high) for one in found]


def _best(one: Found, price: float) -> Ran:
    return max(one.prices, key=lambda ran: ran.ahead.mean() - price * ran.work.mean() / 100)


def mean(ran: Sequence[Ran]) -> str:
    """Write the mean over recordings, with an interval over their problems.

    Recordings of as many problems are resampled alike: most are of the same ones.
    """
    ahead, work = (np.mean([getattr(one, of).mean() for one in ran]) for of in ("ahead", "work"))
    total = np.zeros(_RESAMPLES)
    for one in ran:
        n = len(one.ahead)
        pick = np.random.default_rng(n).integers(0, n, (_RESAMPLES, n))
        total += one.ahead[pick].mean(axis=1)
    low, high = np.quantile(total / len(ran), (0.025, 0.975))
    return f"{ahead:+.2f} [{low:+.2f}, {high:+.2f}], {work:.1f}"


def summary(found: Sequence[Found], looked: dict[str, Ran]) -> list[str]:
    """Lay out the means over some recordings."""
    lines = ["| rule | ahead of the full vote, its work % |", "|---|---|"]
    lines += [
        f"| {name} | {mean([one.rivals[name] for one in found])} |" for name in found[0].rivals
    ]
    for i, share in enumerate(SHARES):
        told = f"`auto` at {100 * share:.0f} % of each"
        lines.append(f"| {told} | {mean([one.shares[i] for one in found])} |")
    for share in SHARES:
        told = f"`auto` at one price, {100 * share:.0f} % on the mean"
        lines.append(f"| {told} | {mean(priced(found, share))} |")
    if any(one.name in looked for one in found):
        told = "the same at 20 %, chains asked on the way where that was recorded"
        both = zip(found, priced(found, FIFTH), strict=True)
        lines.append(f"| {told} | {mean([looked.get(one.name, ran) for one, ran in both])} |")
    for share in SHARES:
        told = f"bound at {100 * share:.0f} %: the price of each that was best afterwards"
        lines.append(f"| {told} | {mean(bound(found, share))} |")
    return lines


def table(found: Sequence[Found]) -> list[str]:
    """Lay out each recording."""
    fifth, at = priced(found, FIFTH), SHARES.index(FIFTH)
    names = ("ASC .95", "Bayes factor 100", "ESC 5")
    heads = ["recording", "problems x samples", "full vote %", *names, "by length"]
    heads += ["`auto` at 20 %", "`auto` at one price"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for one, price in zip(found, fifth, strict=True):
        cells = [one.name, f"{len(one.fold)} x {one.width}", f"{one.accuracy:.1f}"]
        cells += [_cell(one.rivals[name]) for name in names]
        cells += [f"{one.by_length:+.2f}", mean([one.shares[at]]), mean([price])]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cell(ran: Ran) -> str:
    return f"{ran.ahead.mean():+.2f}, {ran.work.mean():.1f}"


def page(found: Sequence[Found], looked: dict[str, Ran], runs: int, parts: str) -> str:
    """Lay everything out as Markdown."""
    wide = [one for one in found if one.width >= LEAST]
    few = [one for one in found if one.width < LEAST]
    sure = [one for one in few if one.accuracy >= 50]
    groups = {
        "wide recordings": wide,
        "recordings of 8 to 16 samples": few,
        "of these, where the full vote is right on half or more": sure,
    }
    lines = [
        "# Whole samples: results",
        "",
        f"Generated by `python -m benchmarks.whole_samples --parts {parts} --runs {runs} "
        "--page FILE`; not edited by hand.",
        "",
        f"{ORDERS} orders of each problem's samples or more (about {runs:,} runs a recording), 5 "
        "folds by problem. Cells: accuracy less the full vote's in points, then work in % of it; "
        f"95 % intervals over problems, paired. Bayes factor: {_FEW} order where there are {_HUGE} "
        "samples or more. Asked for: -.05 at 20 %. *By length*: above 0 short "
        "answers count for more.",
    ]
    for name, part in groups.items():
        if part:
            lines += ["", f"## Means over {len(part)} {name}", "", *summary(part, looked)]
    for name, part in (("Wide recordings", wide), ("Recordings of 8 to 16 samples", few)):
        if part:
            lines += ["", f"## {name}", "", *table(part)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run everything and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", default="", help="recordings whose name holds this")
    parser.add_argument("--parts", default=",".join(PARTS), help="what to run, of all three")
    parser.add_argument("--runs", type=int, default=3_000, help="of a recording, about")
    parser.add_argument("--page", type=Path, help="write the page here")
    told = parser.parse_args()
    parts, found = told.parts.split(","), []
    wide = recordings(told.data) if "wide" in parts else ()
    for drawn in (*wide, *(epoch(told.data) if "few" in parts else ())):
        if told.only in drawn.name:
            found.append(measure(drawn, told.runs))
            print(json.dumps({"recording": drawn.name}), flush=True)  # its progress
    looked = anyio.run(asked, found, FIFTH) if "asked" in parts else {}
    text = page(found, looked, told.runs, told.parts)
    if told.page:
        told.page.write_text(text)
    else:
        print(text)  # its output


if __name__ == "__main__":
    main()
