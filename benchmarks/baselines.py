"""All baselines in one run: published rules, fixed splits and `auto` on recorded thinking chains.

The six stores of `benchmarks.selected_votes` (Qwen3 0.6B, 1.7B, 8B on AIME24 and AIME25, 128 chains
a problem, an interim answer every 500 tokens; no part of the project). Every rule runs in the same
orders of the same chains. Published rules run at their own work; `auto` and the best fixed split
learn from the training folds of the model (5 folds by problem) within CMC's budgets. *random* is a
random pick among what a run drew, *coverage* whether the right answer was drawn at all. The
weighted vote has 21 samples of each of the three models, its weights fitted on the training folds.
Tournaments need a judge that reads answers, and these recordings hold no text: there is no row.

Run with ``python -m benchmarks.baselines``; ``--smoke`` for one order, 8 problems and few rules,
``--page FILE`` for the page. The same seeds give the same figures.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import anyio
from benchmarks.selected_votes import (
    BUDGETS,
    CHAINS,
    FULL,
    Found,
    Table,
    ahead,
    by_problem,
    of_cells,
    of_outcomes,
    stores_of,
)

from workspan.answers.voting import plurality
from workspan.data.budget import Budget
from workspan.data.types import Candidate
from workspan.lab.ensemble import fit_ensemble
from workspan.lab.replay.folds import Folds
from workspan.lab.replay.held_out import Outcome
from workspan.lab.replay.methods import read_methods
from workspan.lab.replay.replay import replay
from workspan.lab.stats import bootstrap
from workspan.recordings.parquet import read_recordings
from workspan.recordings.recording import Recording

RULES = (
    "single",
    "cmc(beta=0.25)",
    "cmc(beta=0.5)",
    "cmc(beta=1)",
    "short_m_at_k(m=5,k=32)",
    "short_m_at_k(m=8,k=64)",
    "short_m_at_k(m=64,k=64,power=4)",
    "adaptive_consistency(n=64)",
    "bayes_factor(b=100)",
    "ahead_by(k=4)",
    "mmc(delta=0.05)",
    "parallel_probe",
)
"""At their own work; the full vote and fixed splits are read off the table."""
SMOKE = ("single", "cmc(beta=0.25)", "bayes_factor(b=100)")
WEIGHTED = "weighted vote of the three models, held against the best of them"
EACH = 21
SEEDS, PROBLEMS = 10, 8
PUBLISHED = (
    "full vote 54.2 at 1,003k, CMC 52.5 at 187k and 18k span, 54.4 at 293k and 20k, 56.0 at 546k "
    "and 23k"
)
"""What other code found on the same recordings: mean accuracy in %, work and span."""


class Drawn(NamedTuple):
    """What stands beside a rule's accuracy; None where nothing was voted on."""

    random: float | None
    coverage: float | None
    effective_n: float | None

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Drawn:
        """Average over problems what is known."""
        columns = [
            [value for one in outcomes if (value := getattr(one, name)) is not None]
            for name in cls._fields
        ]
        return cls(*(fmean(column) if column else None for column in columns))


def weighted(recordings: Sequence[Recording], seeds: int) -> Table:
    """Vote over three models, each weighed by what the training folds say; one row a problem."""
    found: Table = {}
    folds = {frozenset(p.id for p in split.held.problems) for split in Folds().split(recordings)}
    for fold in folds:
        rest = [one.keep({p.id for p in one.problems} - fold) for one in recordings]
        weights = fit_ensemble(rest).weights
        for one in recordings[0].keep({*fold}).problems:
            runs = [_voted(recordings, one.id, weights, seed) for seed in range(seeds)]
            found["all", one.id] = Found(*(fmean(column) for column in zip(*runs, strict=True)))
    return found


def _voted(
    recordings: Sequence[Recording], name: str, weights: Sequence[float], seed: int
) -> tuple[float, float, float]:
    first = recordings[0]
    problem = next(one for one in first.problems if one.id == name)
    held, told, tokens = list[Candidate](), list[float](), list[int]()
    for recording, weight in zip(recordings, weights, strict=True):
        rng = random.Random(f"{seed} {recording.name} {name}")
        for chain in rng.sample(recording.chains[name], EACH):
            held.append(Candidate("", chain.answers[-1]))
            told.append(weight)
            tokens.append(chain.tokens)
    best = plurality(held, problem.kind, told).text
    right = 0.0 if best is None else first.grade(problem, best)
    return right, float(sum(tokens)), float(max(tokens))


async def measure(
    recordings: Sequence[Recording], rules: Sequence[str], budgets: Sequence[Budget], seeds: int
) -> tuple[dict[str, Table], dict[str, Drawn]]:
    """Run everything; by the name of a row."""
    own = await replay(recordings, read_methods(",".join(rules)), [Budget()], seeds=seeds)
    learnt = await replay(recordings, read_methods("auto"), budgets, seeds=seeds)
    held: dict[str, list[Outcome]] = defaultdict(list)
    for one in own.outcomes:
        held[f"{one.strategy}"].append(one)
    for one in learnt.outcomes:
        held[f"{one.strategy} within {one.budget}"].append(one)
    tables = {name: of_outcomes(outcomes) for name, outcomes in held.items()}
    tables |= of_cells(recordings, budgets)
    if len(recordings) > 1:
        tables[WEIGHTED] = weighted(recordings, seeds)
    return tables, {name: Drawn.of(outcomes) for name, outcomes in held.items()}


def page(
    found: dict[str, Table], beside: dict[str, Drawn], recordings: Sequence[Recording], seeds: int
) -> str:
    """Lay everything out as Markdown, cheap rules first."""
    stores = stores_of(recordings)
    lines = [
        "# All baselines in one run: results",
        "",
        "Generated by `python -m benchmarks.baselines --page FILE`; not edited by hand.",
        "",
        f"{seeds} orders of the chains, 5 folds by problem; tokens in thousands, probes charged; "
        f"95 % intervals over problems, paired. Stores: {', '.join(stores)}. Rules at their own "
        "work, `auto` and best fixed splits within a mean budget. No row: tournaments, which need "
        "a judge that reads answers. random, coverage and effective n: see the glossary. Published "
        f"for these recordings by other code: {PUBLISHED}.",
        "",
        "| rule | accuracy % | by store | work | span | random | coverage | effective n "
        "| to the full vote | to the best fixed |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    order = sorted(found, key=lambda name: fmean(x.work for x in found[name].values()))
    nothing = Drawn(None, None, None)
    lines += [_row(name, found, beside.get(name, nothing), stores) for name in order]
    return "\n".join(lines) + "\n"


def _row(
    name: str,
    found: dict[str, Table],
    beside: Drawn,
    stores: dict[str, list[tuple[str, str]]],
) -> str:
    table = found[name]
    own = bootstrap([*by_problem(table, [*table]).values()])
    own_of = [[table[key].right for key in keys if key in table] for keys in stores.values()]
    each = [f"{100 * fmean(right):.0f}" if right else "" for right in own_of]
    right, work, span = (fmean(getattr(x, of) for x in table.values()) for of in Found._fields)
    fixed = found.get(name.replace("auto", "best_fixed", 1)) if name.startswith("auto") else None
    cells = (
        f"`{name}`" if name not in (FULL, WEIGHTED) else name,
        f"{100 * right:.1f} [{100 * own.low:.0f}, {100 * own.high:.0f}]",
        " / ".join(each),
        f"{work / 1000:,.0f}",
        f"{span / 1000:.1f}",
        *("" if x is None else f"{100 * x:.1f}" for x in beside[:2]),
        "" if beside.effective_n is None else f"{beside.effective_n:.2f}",
        "" if name == FULL else ahead(table, _whole(found[FULL], table)),
        "" if fixed is None else ahead(table, fixed),
    )
    return f"| {' | '.join(cells)} |"


def _whole(full: Table, table: Table) -> Table:
    """Return the full vote that a row is held against: of the same models, or of the best."""
    if table.keys() == full.keys():
        return full
    models = {model for model, _ in full}
    right = {m: fmean(x.right for (of, _), x in full.items() if of == m) for m in models}
    best = max(models, key=lambda model: right[model])
    return {key: full[best, key[1]] for key in table}


def main() -> None:
    """Run it all and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="one order, 8 problems, few rules")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="orders of the chains")
    parser.add_argument("--page", type=Path, help="write the page here")
    told = parser.parse_args()
    recordings: Sequence[Recording] = read_recordings(CHAINS).recordings
    rules: Sequence[str] = RULES
    budgets: Sequence[Budget] = BUDGETS
    seeds = told.seeds
    if told.smoke:
        kept = {one.id for one in recordings[0].problems[:PROBLEMS]}
        recordings = [one.keep(kept) for one in recordings]
        rules, budgets, seeds = SMOKE, BUDGETS[:1], 1
    found, beside = anyio.run(measure, recordings, rules, budgets, seeds)
    text = page(found, beside, recordings, seeds)
    if told.page:
        told.page.write_text(text)
    else:
        print(text)  # its output


if __name__ == "__main__":
    main()
