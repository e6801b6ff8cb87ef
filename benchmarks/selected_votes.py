"""Selected votes: `auto` with races against CMC, the full vote and the best fixed split.

Six stores of recorded chains (Qwen3 0.6B, 1.7B, 8B on AIME24 and AIME25: 30 problems each, 128
chains a problem, an interim answer every 500 tokens; from zhengkid/AutoTTS, without a licence and
no part of the project). ``auto`` and the best fixed split learn from the training folds of the
model (5 folds by problem); CMC runs at its own work. Fixed splits are means over 60 orders. Budgets
are the work and span of CMC at beta .25, .5 and 1 as other code found them on these chains, span
times 1.1, and short ones. Means over the six stores; differences are paired by problem, of the
three models' means.

The second table has whole samples, where nothing was asked on the way: `auto`'s budget is set on
the training folds to a share of the full vote's work, and each recording counts once.

The third is the short end: what the best of all fixed splits, of all plans and the oracle reach.

Run with ``python -m benchmarks.selected_votes``; ``--smoke`` for two orders and one budget,
``--page FILE`` for the page. The same seeds give the same figures.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import anyio
import numpy as np
from benchmarks.vote_stopping import Arena, asc, full, ours
from benchmarks.vote_stopping import recordings as whole_samples

from workspan.data.budget import Budget
from workspan.lab.replay.cells import Cell, cells_of, depths_of
from workspan.lab.replay.contenders import best_cell, read_contenders
from workspan.lab.replay.episodes import Chains, orders, play
from workspan.lab.replay.folds import Folds
from workspan.lab.replay.held_out import Outcome
from workspan.lab.replay.replay import replay
from workspan.lab.stats import paired_difference
from workspan.recordings.parquet import read_recordings
from workspan.recordings.recording import Recording
from workspan.search.cmc_batch import CmcBatch

DATA = Path(__file__).parents[2] / "shared" / "data"
CHAINS = DATA / "chains" / "parallel_probe_qwen3.parquet"
BUDGETS = (
    Budget(work=16_000),
    Budget(work=32_000),
    Budget(work=64_000),
    Budget(work=187_000, span=19_800),
    Budget(work=293_000, span=22_000),
    Budget(work=546_000, span=25_300),
)
TARGETS = {187_000: 53.5, 293_000: 55.4, 546_000: 57.0}
"""Mean accuracy in % that was asked for within a budget: CMC's as published, and one point."""
FULL = "full vote of 64"
BETAS = (0.25, 0.5, 1.0)
SHARES = (0.16, 0.2, 0.25)


class Found(NamedTuple):
    """A rule on one problem of one store: means over orders."""

    right: float
    work: float
    span: float


Table = dict[tuple[str, str], Found]
"""By model and problem."""


def of_outcomes(outcomes: Sequence[Outcome]) -> Table:
    """Take what a replay found."""
    return {(x.model, x.problem): Found(x.correct, x.work, x.span) for x in outcomes}


def of_cmc(recordings: Sequence[Recording], beta: float, seeds: int) -> Table:
    """Play CMC at its own work, in the orders that the replay has."""
    found: Table = {}
    for one in recordings:
        chains = Chains.of(one)
        problem, order = orders(chains, seeds)
        rule = CmcBatch(beta=beta, block=chains.step, max_tokens=one.longest)
        done = play(rule, chains, problem, order)
        columns = (done.right, done.work, done.span)
        means = [np.bincount(problem, column) / seeds for column in columns]
        for name, *values in zip(chains.names, *means, strict=True):
            found[one.model, name] = Found(*map(float, values))
    return found


def of_cells(recordings: Sequence[Recording], budgets: Sequence[Budget]) -> dict[str, Table]:
    """Read the full vote, and the split that training folds choose, off the table of all splits."""
    depths = depths_of(recordings)
    tables = {one.name: cells_of(one, depths) for one in recordings}
    found: dict[str, Table] = defaultdict(dict)
    for split in Folds().split(recordings):
        cells = tables[split.held.name]
        known = [(cells, [p.id for one in split.training for p in one.problems])]
        splits = {f"best_fixed within {budget}": best_cell(known, budget) for budget in budgets}
        splits[FULL] = Cell(max(depths), 64)
        for name, cell in splits.items():
            at = cells.cells.index(cell or Cell(min(depths), 1))
            for problem in split.held.problems:
                place = (cells.rows[problem.id], at)
                told = (cells.accuracy[place], cells.work[place], cells.span[place])
                found[name][split.held.model, problem.id] = Found(*map(float, told))
    return found


async def measure(
    recordings: Sequence[Recording], budgets: Sequence[Budget], seeds: int
) -> dict[str, Table]:
    """Run everything; by the name of a row."""
    learnt = await replay(recordings, read_contenders("auto"), budgets, seeds=seeds)
    held: dict[str, list[Outcome]] = defaultdict(list)
    for one in learnt.outcomes:
        held[f"{one.strategy} within {one.budget}"].append(one)
    own = {name: of_outcomes(outcomes) for name, outcomes in held.items()}
    cmc = {f"cmc(beta={beta:g})": of_cmc(recordings, beta, seeds) for beta in BETAS}
    return own | of_cells(recordings, budgets) | cmc


def by_problem(table: Table, part: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return how right it was on each problem, mean over models."""
    own: dict[str, list[float]] = defaultdict(list)
    for key in part:
        own[key[1]].append(table[key].right)
    return {name: fmean(values) for name, values in sorted(own.items())}


def ahead(table: Table, rival: Table) -> str:
    """Write the paired difference in points."""
    keys = [*table]
    mine, theirs = by_problem(table, keys), by_problem(rival, keys)
    found = paired_difference([*mine.values()], [theirs[name] for name in mine])
    assert found is not None
    return f"{100 * found.mean:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def row(name: str, table: Table, rivals: Sequence[Table], stores: dict[str, list[Any]]) -> str:
    """Write a line of the first table."""
    right, work, span = (100 * fmean(x.right for x in table.values()), *_spent(table))
    each = [f"{100 * fmean(table[key].right for key in keys):.0f}" for keys in stores.values()]
    told = [ahead(table, rival) if rival is not table else "" for rival in rivals]
    cells = (f"`{name}`", f"{right:.1f}", " / ".join(each), f"{work:,.0f}", f"{span:.1f}", *told)
    return f"| {' | '.join(cells)} |"


def _spent(table: Table) -> tuple[float, float]:
    work, span = (fmean(getattr(x, of) for x in table.values()) for of in ("work", "span"))
    return work / 1000, span / 1000


def rivals_of(found: dict[str, Table], name: str) -> list[Table]:
    """Return what a row is compared with: the full vote, CMC of as much work, the best split."""
    own, _, budget = name.partition(" within ")
    cmc = {"187": BETAS[0], "293": BETAS[1], "546": BETAS[2]}
    beta = next((beta for work, beta in cmc.items() if budget.startswith(work)), BETAS[0])
    fixed = found.get(f"best_fixed within {budget}", found[name])
    rival = found[f"cmc(beta={beta:g})"] if budget else found[name]
    return [found[FULL], rival, fixed if own == "auto" else found[name]]


def stores_of(recordings: Sequence[Recording]) -> dict[str, list[Any]]:
    """Return the problems of each store."""
    found: dict[str, list[Any]] = defaultdict(list)
    for one in recordings:
        for name, task in one.tasks.items():
            found[f"{one.model.rpartition('-')[2]} {task}"].append((one.model, name))
    return dict(sorted(found.items()))


def votes_table(only: str, shares: Sequence[float]) -> list[str]:
    """Vote on whole samples with a budget that is set on training folds."""
    lines = [
        "| recording | full width: %, work | ASC .95: ahead, work % "
        + "".join(f"| auto at {100 * share:.0f} %: ahead, work % " for share in shares)
        + "|",
        "|" + "---|" * (3 + len(shares)),
    ]
    columns: list[list[tuple[float, float]]] = []
    for drawn in whole_samples(DATA):
        if only not in drawn.name:
            continue
        arena = Arena(drawn, max(8, 3_000 // len(drawn.groups)))
        whole = full(arena)
        scale = float(whole.work.mean())
        done = [asc(arena, 0.95), *ours(arena, [scale * share for share in shares])]
        told = [
            (100 * float((x.accuracy - whole.accuracy).mean()), 100 * float(x.work.mean()) / scale)
            for x in done
        ]
        columns.append(told)
        cells = (f"{a:+.2f}, {b:.1f}" for a, b in told)
        first = f"{100 * float(whole.accuracy.mean()):.1f}, {scale:,.0f}"
        lines.append(f"| {drawn.name} | {first} | {' | '.join(cells)} |")
    means = np.array(columns).mean(axis=0)
    cells = (f"**{a:+.2f}, {b:.1f}**" for a, b in means)
    return [*lines, f"| mean of {len(columns)} | | {' | '.join(cells)} |"]


async def short_end(recordings: Sequence[Recording], seeds: int) -> list[str]:
    """Hold `auto` and the best fixed split below one natural chain against the oracle."""
    budgets = [Budget(work=work) for work in (2_000, 4_000, 8_000, 16_000)]
    names = "best_fixed,auto,oracle"
    done = await replay(recordings, read_contenders(names), budgets, seeds=seeds)
    lines = ["| work | best fixed | auto | auto to it | oracle |", "|---|---|---|---|---|"]
    for budget in budgets:
        held = {
            name: of_outcomes(
                [x for x in done.outcomes if (x.strategy, x.budget) == (name, budget)]
            )
            for name in names.split(",")
        }
        means = {name: 100 * fmean(x.right for x in one.values()) for name, one in held.items()}
        told = ahead(held["auto"], held["best_fixed"])
        cells = (f"{means['best_fixed']:.1f}", f"{means['auto']:.1f}", told)
        lines.append(f"| {budget} | {' | '.join(cells)} | {means['oracle']:.1f} |")
    return lines


def page(found: dict[str, Table], recordings: Sequence[Recording], seeds: int) -> list[str]:
    """Lay the first table out as Markdown."""
    stores = stores_of(recordings)
    order = sorted(found, key=lambda name: fmean(x.work for x in found[name].values()))
    targets = ", ".join(f"{value} at {work // 1000}k" for work, value in TARGETS.items())
    return [
        "# Selected votes on recorded chains: results",
        "",
        "Generated by `python -m benchmarks.selected_votes --page FILE`; not edited by hand. "
        f"{seeds} orders of the chains, 5 folds by problem; tokens in thousands, looks charged. "
        f"Stores: {', '.join(stores)}. Asked for: {targets}. *To CMC* is to the beta whose work "
        "the budget is.",
        "",
        "| rule | accuracy % | by store | work | span | to the full vote | to CMC "
        "| to the best fixed |",
        "|---|---|---|---|---|---|---|---|",
        *(row(name, found[name], rivals_of(found, name), stores) for name in order),
    ]


def main() -> None:
    """Run it all and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="two orders, one budget")
    parser.add_argument("--seeds", type=int, default=10, help="orders of the chains")
    parser.add_argument("--page", type=Path, help="write the page here")
    told = parser.parse_args()
    seeds, budgets = (2, BUDGETS[-1:]) if told.smoke else (told.seeds, BUDGETS)
    recordings = read_recordings(CHAINS).recordings
    found = anyio.run(measure, recordings, budgets, seeds)
    lines = page(found, recordings, seeds)
    if not told.smoke:
        lines += ["", "## Whole samples", "", *votes_table("", SHARES)]
        lines += ["", "## The short end", "", *anyio.run(short_end, recordings, seeds)]
    text = "\n".join(lines) + "\n"
    if told.page:
        told.page.write_text(text)
    else:
        print(text)  # its output


if __name__ == "__main__":
    main()
