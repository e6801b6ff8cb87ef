"""Votes on whole samples: `auto` against Adaptive-Consistency (ASC) and ESC, at their own work.

Every recording with at least 20 samples a problem is drawn from in random orders, seeds fixed. ASC
and ESC run at their own defaults (0.95, windows of 5) and at every threshold and window of a grid.
`auto` has the rule that `workspan replay` gives it on whole samples: it learns from the
training folds (5 folds by problem), labels included, and takes the price that meets a mean budget
there. It is run at the mean work of ASC's and of ESC's defaults, at a grid of budgets, and without
a budget. An answer that was not logged is an answer of its own, one that could not be read is none.

*To reach* is the least mean work, over the grid, at which the mean accuracy is at least that of the
full width less 0.1 points: chosen in hindsight, for all three alike. Work is tokens, characters
where nobody counted tokens, in percent of the full width.

Run with ``python -m benchmarks.vote_stopping``; ``--only TEXT`` for the recordings whose name holds
it, ``--data FOLDER``. The recordings are not part of the project.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pyarrow import compute, parquet

from workspan.search.stopping import beta_confidence
from workspan.strategies.auto.fit.sampled_votes import SampledVotes, Votes
from workspan.strategies.auto.fit.vote_evaluation import VoteEvaluation, evaluated_votes
from workspan.strategies.auto.policies.state import NONE
from workspan.strategies.auto.policies.weigher import PLAIN, Weigher

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DATA = Path(__file__).parents[2] / "shared" / "data"
SAMPLES = ("esc_last_letters_gpt35", "mot_cascade", "tot_game24_gpt4")
CHAINS = "parallel_probe_qwen3"
LEAST = 20
FOLDS = 5
RUNS = 6_000
SLACK = 0.001
BUDGETS = tuple(2 ** (-i / 8) for i in range(57))
"""Shares of the full width's work."""
THRESHOLDS = (0.6, 0.76, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99, 0.995)
WINDOWS = (2, 3, 4, 5, 6, 7, 8, 10)


class Drawn(NamedTuple):
    """A recording; arrays [problem, sample]."""

    name: str
    groups: NDArray[np.int64]
    right: Floats
    cost: Floats


class Outcome(NamedTuple):
    """A rule at one dial; arrays [problem], means over orders."""

    dial: float
    accuracy: Floats
    work: Floats


@dataclass
class Arena:
    """Orders of a recording, and what any rule gets on them."""

    drawn: Drawn
    orders: int
    seed: int = 0

    def __post_init__(self) -> None:
        n, width = self.drawn.groups.shape
        problem = np.repeat(np.arange(n), self.orders)
        order = np.random.default_rng(self.seed).random((len(problem), width)).argsort(axis=1)
        self.order = order
        self.votes = self.counted(problem, order)
        self.said = self.drawn.groups[problem[:, None], order]
        self.work = self.drawn.cost[problem[:, None], order].cumsum(axis=1)
        kinds = int(self.drawn.groups.max()) + 2
        self.grades = np.zeros((n, kinds))
        for i, (groups, right) in enumerate(zip(self.drawn.groups, self.drawn.right, strict=True)):
            for group in {*groups.tolist()} - {NONE}:
                self.grades[i, group] = right[groups == group].mean()

    def counted(self, problem: Any, order: Any, weigher: Weigher = PLAIN) -> Votes:
        """Count votes of runs, each sample as much as its length says."""
        groups, n = self.drawn.groups, len(self.drawn.groups)
        none = np.zeros((n, int(groups.max()) + 1))
        return SampledVotes(groups, self.drawn.cost, none, none, n, weigher).counted(problem, order)

    def outcome(
        self, dial: float, drawn: NDArray[Any], lead: NDArray[Any] | None = None
    ) -> Outcome:
        """Say what comes of stopping each run after `drawn` samples, with the leader or `lead`."""
        rows = np.arange(len(drawn))
        lead = self.votes.lead[rows, drawn - 1] if lead is None else lead
        right = np.where(lead == NONE, 0, self.grades[self.votes.problem, lead])
        work = self.work[rows, drawn - 1]
        return Outcome(dial, self._mean(right), self._mean(work))

    def _mean(self, values: NDArray[Any]) -> Floats:
        means: Floats = values.reshape(-1, self.orders).mean(axis=1)
        return means


def full(arena: Arena) -> Outcome:
    runs, width = arena.said.shape
    return arena.outcome(width, np.full(runs, width))


def asc(arena: Arena, threshold: float) -> Outcome:
    votes, width = arena.votes, arena.said.shape[1]
    table = np.array(
        [[beta_confidence(a, min(a, b)) for b in range(width + 1)] for a in range(width + 1)]
    )
    enough = table[votes.first, votes.second] > threshold
    enough[:, -1] = True
    return arena.outcome(threshold, enough.argmax(axis=1) + 1)


def esc(arena: Arena, window: int) -> Outcome:
    runs, width = arena.said.shape
    drawn, lead = np.full(runs, width), arena.votes.lead[:, -1].copy()
    for start in range(width - width % window - window, -1, -window):
        part = arena.said[:, start : start + window]
        agreed = (part == part[:, :1]).all(axis=1) & (part[:, 0] != NONE)
        drawn[agreed], lead[agreed] = start + window, part[agreed, 0]
    return arena.outcome(window, drawn, lead)


class Learnt(NamedTuple):
    """What is learnt for the problems of one fold from all others."""

    runs: NDArray[np.int64]
    """That are held out."""
    evaluation: VoteEvaluation
    votes: Votes
    """Of those runs, as they weigh."""

    def ends(self, i: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return after how many samples each run stops at the i-th price, and its answer."""
        drawn = self.evaluation.drawn(i, self.votes)
        return drawn, self.votes.lead[np.arange(len(drawn)), drawn - 1]


def learn(arena: Arena) -> Iterator[Learnt]:
    """Learn for each fold of the problems, labels of the others included."""
    drawn, n = arena.drawn, len(arena.drawn.groups)
    fold = np.random.default_rng(1).permutation(n) % FOLDS
    for k in range(FOLDS):
        rest, held = fold != k, np.flatnonzero(fold[arena.votes.problem] == k)
        known = SampledVotes.of(drawn.groups[rest], drawn.cost[rest], drawn.right[rest] > 0.5)
        part = arena.counted(arena.votes.problem[held], arena.order[held], known.weigher)
        yield Learnt(held, evaluated_votes(known), part)


def ours(arena: Arena, budgets: Sequence[float | None]) -> list[Outcome]:
    """Run `auto` at each budget, a mean; the price that meets it is learnt on other problems."""
    ends, lead = np.zeros((2, len(budgets), len(arena.votes.problem)), np.int64)
    for part in learn(arena):
        found: dict[int, Any] = {}
        for row, budget in enumerate(budgets):
            i = part.evaluation.affordable(budget)
            found[i] = found[i] if i in found else part.ends(i)
            ends[row, part.runs], lead[row, part.runs] = found[i]
    told = zip(budgets, ends, lead, strict=True)
    return [arena.outcome(b or 0.0, end, who) for b, end, who in told]


def reach(found: Sequence[Outcome], whole: Outcome, part: Any = slice(None)) -> Outcome | None:
    """Return the cheapest that is as accurate as the full width, less the slack."""
    enough = whole.accuracy[part].mean() - SLACK
    good = [one for one in found if one.accuracy[part].mean() >= enough]
    return min(good, key=lambda one: one.work[part].mean()) if good else None


def interval(ratio: Sequence[Floats]) -> tuple[float, float]:
    """Bootstrap over problems: the mean of the first, or the ratio of the means of both, in %."""
    n = len(ratio[0])
    pick = np.random.default_rng(0).integers(0, n, (2_000, n))
    means = [values[pick].mean(axis=1) for values in ratio]
    low, high = np.quantile(means[0] / (means[1] if len(means) > 1 else 1), (0.025, 0.975))
    return 100 * float(low), 100 * float(high)


def measure(drawn: Drawn) -> dict[str, Any]:
    """Run all rules on a recording; figures in percent."""
    began = perf_counter()
    n, width = drawn.groups.shape
    arena = Arena(drawn, max(8, RUNS // n))
    whole = full(arena)
    scale = float(whole.work.mean())

    def figures(one: Outcome | None) -> list[float] | None:
        if one is None:
            return None
        return [one.dial, 100 * float(one.accuracy.mean()), 100 * float(one.work.mean()) / scale]

    ascs, escs = [asc(arena, x) for x in THRESHOLDS], [esc(arena, x) for x in WINDOWS]
    rivals = {"asc": ascs[THRESHOLDS.index(0.95)], "esc": escs[WINDOWS.index(5)]}
    own = [float(one.work.mean()) for one in rivals.values()]
    at_asc, at_esc, free, *each = ours(arena, [*own, None, *(scale * part for part in BUDGETS)])
    best = {"asc": reach(ascs, whole), "esc": reach(escs, whole), "ours": reach(each, whole)}
    report: dict[str, Any] = {
        "recording": drawn.name,
        "problems": n,
        "width": width,
        "full": [100 * float(whole.accuracy.mean()), scale],
        "free": figures(free),
        "reach": {name: figures(one) for name, one in best.items()},
        "curve": [figures(one) for one in each],
    }
    for (name, rival), our in zip(rivals.items(), (at_asc, at_esc), strict=True):
        report[name] = figures(rival)
        ahead = our.accuracy - rival.accuracy
        report[f"at_{name}"] = [100 * float(ahead.mean()), *interval([ahead])]
        report[f"at_{name}"].append(100 * float(our.work.mean() / rival.work.mean()))
        if (theirs := best[name]) and best["ours"]:
            report[f"reach_to_{name}"] = interval([best["ours"].work, theirs.work])
    report["seconds"] = perf_counter() - began
    return report


def recordings(data: Path) -> Iterator[Drawn]:
    """Read everything that has enough samples, one recording a model and setting."""
    for file in SAMPLES:
        columns = ["problem_id", "task", "model", "setting", "samples"]
        table = parquet.read_table(data / "recordings" / f"{file}.parquet", columns=columns)
        found: dict[str, list[list[Any]]] = defaultdict(list)
        enough = compute.greater_equal(compute.list_value_length(table["samples"]), LEAST)
        table = table.filter(enough)
        for row in table.to_pylist():
            known = json.loads(row["setting"])
            setting = Path(known.get("file", known["prompt"])).stem
            name = f"{row['task']} {row['model'].split('/')[-1]} {setting}"
            found[name].append(
                [
                    (x["answer"] or f"unnamed {i}", x["correct"], x["tokens"] or x["chars"])
                    for i, x in enumerate(row["samples"])
                ]
            )
        for name, problems in found.items():
            yield drawn_of(name, problems)
    table = parquet.read_table(data / "chains" / f"{CHAINS}.parquet")
    ends = np.asarray(table.column("steps").combine_chunks().offsets)[1:] - 1
    said = table.column("steps").combine_chunks().values.field("answer").take(ends).to_pylist()
    names = ("problem_id", "model", "final_correct", "final_tokens")
    rows = zip(*(table.column(name).to_pylist() for name in names), said, strict=True)
    chains: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for problem, model, right, tokens, answer in rows:
        read = None if answer in ("", "ERR") else answer
        chains[model.split("/")[-1]][problem].append((read, right, tokens))
    for model, by_problem in chains.items():
        yield drawn_of(f"aime24+25 {model}", list(by_problem.values()))


def drawn_of(name: str, problems: Sequence[Sequence[tuple[str | None, bool, int]]]) -> Drawn:
    """Number the answers of each problem."""
    width = min(map(len, problems))
    groups = np.full((len(problems), width), NONE)
    for i, samples in enumerate(problems):
        known: dict[str, int] = {}
        for j, (answer, _, _) in enumerate(samples[:width]):
            if answer is not None:
                groups[i, j] = known.setdefault(answer.strip(), len(known))
    right = np.array([[bool(x[1]) for x in samples[:width]] for samples in problems])
    cost = np.array([[max(1, x[2] or 1) for x in samples[:width]] for samples in problems])
    return Drawn(name, groups, right.astype(float), cost.astype(float))


def line(one: dict[str, Any]) -> str:
    def cell(found: Sequence[float] | None) -> str:
        return "never" if found is None else f"{found[1]:.2f}, {found[2]:.1f}"

    def ahead(name: str) -> str:
        mean, low, high, work = one[f"at_{name}"]
        return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}], {work:.0f} %"

    compared = [one.get(f"reach_to_{name}") for name in ("asc", "esc")]
    shown = ["–" if x is None else f"{x[0]:.0f} to {x[1]:.0f}" for x in compared]
    return (
        f"| {one['recording']} | {one['problems']} x {one['width']} "
        f"| {one['full'][0]:.2f}, {one['full'][1]:.0f} | {cell(one['asc'])} | {ahead('asc')} "
        f"| {cell(one['esc'])} | {ahead('esc')} | {cell(one['free'])} "
        f"| {' / '.join('never' if x is None else f'{x[2]:.1f}' for x in one['reach'].values())} "
        f"| {' / '.join(shown)} |"
    )


def main(options: argparse.Namespace) -> None:
    heads = (
        "recording",
        "problems x samples",
        "full width: %, work",
        "ASC .95: %, work %",
        "auto at that budget: ahead by, its work in % of ASC's",
        "ESC 5: %, work %",
        "auto at that budget",
        "auto without a budget: %, work %",
        "to reach, work %: ASC / ESC / auto",
        "auto in % of ASC's / ESC's",
    )
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    reports = []
    for drawn in recordings(options.data):
        if options.only in drawn.name:
            reports.append(measure(drawn))
            print(line(reports[-1]), flush=True)
            if options.output:
                options.output.write_text(json.dumps(reports, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", default="")
    parser.add_argument("--output", type=Path)
    main(parser.parse_args())
