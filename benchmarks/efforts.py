"""Effort as a dial: ladders against fixed settings (effort × votes) on recorded efforts.

Replays Epoch AI's public logs of two hosted models on two sets (CC BY 4.0, attribute Epoch AI; no
part of the project): gpt-5.1 and Claude Opus 4.6 on OTIS mock AIME (45 problems) and GPQA diamond
(198), eight samples a problem at each effort. Every fixed setting, and the ladders that `auto`
chooses, run on the same problems in the same orders of their samples. A ladder is chosen on four
folds of the problems and judged on the fifth, for mean budgets from the cheapest setting to the
dearest of three votes; fixed settings are taken in hindsight, on all problems.

A missing answer votes for nothing and counts as disagreement. ``--named`` counts each as an answer
of its own instead, as if it had been given: then nobody can see that it is missing. Groups with
more than 10 % missing are left out, by name.

Run with ``python -m benchmarks.efforts``; ``--smoke`` for one order of one set, ``--page FILE`` for
the page. The same seeds give the same figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.errors import DataError
from workspan.lab.efforts.crossing import Choose, crossed
from workspan.lab.efforts.recorded import (
    MOST_MISSING,
    RecordedRace,
    recorded_ladders,
    recorded_race,
)
from workspan.lab.stats import Difference, paired_difference
from workspan.recordings.parquet import read_recordings
from workspan.search.climbing import Stage
from workspan.strategies.auto.fit.ladders import (
    Each,
    fixed_plans,
    hull_of,
    plans_of,
    play,
)
from workspan.strategies.auto.fit.laid import Climb
from workspan.strategies.auto.fit.seen import Ladders, even

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DATA = Path(__file__).parents[2] / "shared" / "data" / "recordings"
FILES = {"OTIS mock AIME": "epoch_otis_mock_aime", "GPQA diamond": "epoch_gpqa_diamond"}
MODELS = ("openai/gpt-5.1", "anthropic/claude-opus-4-6")
LEFT_OUT = ("openai/gpt-5-mini-2025-08-07", "openai/gpt-5-nano-2025-08-07")
"""Further models with several efforts: named with why they can't be used."""
BUDGETS = 8
SHARES = (0.5, 0.45)
"""Of the work of the best votes, at which `auto` is held against them."""
POINT = 0.01


class Run(NamedTuple):
    """What something came to: means over orders, by problems."""

    right: Floats
    work: Floats
    span: Floats
    random: Floats
    coverage: Floats

    @classmethod
    def of(cls, found: Sequence[Each]) -> Run:
        """Average over orders."""
        return cls(*(np.mean(column, axis=0) for column in [*zip(*found, strict=True)][:5]))

    @property
    def at(self) -> tuple[float, float]:
        """Mean work and accuracy."""
        return float(self.work.mean()), float(self.right.mean())


@dataclass(frozen=True, slots=True)
class Case:
    """One model on one set."""

    name: str
    ladders: Ladders
    orders: int

    def fixed(self) -> dict[Climb, Run]:
        """Play every fixed setting, and the plain ladder, on all problems."""
        return self._played([*fixed_plans(self.ladders), *self.plain()])

    def plain(self) -> list[Climb]:
        """Return two at an effort and the highest if they disagree, for each lower effort."""
        top = len(self.ladders.rungs) - 1
        return [Climb((Stage(rung, 2), Stage(top, 1))) for rung in range(top)]

    def bound(self, work: float) -> tuple[float, float]:
        """Return the accuracy and work of the best mixture of any two ladders, in hindsight."""
        every = self._played(plans_of(self.ladders))
        runs = [*every.values()]
        told = np.array([one.at for one in runs])
        hull = [runs[i] for i in hull_of(told[:, 0], told[:, 1])]
        return min(work, hull[-1].at[0]), float(_on_hull(hull, work).mean())

    def _played(self, plans: Sequence[Climb]) -> dict[Climb, Run]:
        found = [play(self.ladders, plans, seed=seed) for seed in range(self.orders)]
        return {plan: Run.of([one.at(i) for one in found]) for i, plan in enumerate(plans)}

    def chosen(self, chooses: Sequence[Choose]) -> list[Run]:
        """Choose on four folds and play on the fifth, in as many orders and splits."""
        found = [crossed(self.ladders, chooses, seed=seed) for seed in range(self.orders)]
        return [Run.of(of) for of in zip(*found, strict=True)]


class Row(NamedTuple):
    """One budget."""

    budget: float
    auto: Run
    best_fixed: Run
    """The fixed settings that the training folds chose."""
    to_hull: Difference
    """To the hull of fixed settings in hindsight, at as much work as `auto` took."""
    to_fixed: Difference
    """To the fixed settings that the training folds chose."""


def read_case(name: str, model: str, orders: int, *, named: bool) -> tuple[Case, RecordedRace]:
    """Read one model's efforts on one set."""
    file = DATA / f"{FILES[name]}.parquet"
    read = read_recordings(file, [model], unlogged=MOST_MISSING, names_missing=named)
    race = recorded_race(read.recordings, [])
    who = model.rpartition("/")[2]
    return Case(f"{who}, {name}", even(recorded_ladders(race)), orders), race


def left_out(name: str) -> dict[str, str]:
    """Say of each further model with efforts on a set why it can't be used."""
    file = DATA / f"{FILES[name]}.parquet"
    said: dict[str, str] = {}
    for model in LEFT_OUT:
        try:
            read = read_recordings(file, [model], unlogged=MOST_MISSING, names_missing=False)
            said |= {f"{name}: {key.partition(' {')[0]}": why for key, why in read.left_out.items()}
        except DataError as error:
            said[f"{name}: {model}"] = str(error).partition("replayed: ")[2]
    return said


class Judged(NamedTuple):
    """One case: `auto` against the hull at each budget, and at half the work of the best votes."""

    rows: list[Row]
    halves: list[str]


def judged(case: Case, fixed: dict[Climb, Run]) -> Judged:
    """Choose for all budgets at once: what is learnt of a fold is shared."""
    settings = [plan for plan in fixed if len(plan.stages) == 1]
    work = np.array([fixed[plan].at[0] for plan in settings])
    right = np.array([fixed[plan].at[1] for plan in settings])
    hull = [fixed[settings[i]] for i in hull_of(work, right)]
    three = [plan for plan in settings if plan.votes == 3]
    dearest = max(fixed[plan].at[0] for plan in three)
    budgets = [float(budget) for budget in np.geomspace(work.min(), dearest, BUDGETS)]
    best = [
        max(of, key=lambda plan: fixed[plan].at[1])
        for of in (three, [plan for plan in settings if plan.votes >= 3])
    ]
    shares = [share * fixed[plan].at[0] for plan in best for share in SHARES]
    chooses = [*map(_within, budgets), *map(_fixed_within, budgets), *map(_within, shares)]
    runs = case.chosen(chooses)
    rows = []
    for i, budget in enumerate(budgets):
        auto, other = runs[i], runs[BUDGETS + i]
        to_hull = _to(auto, _on_hull(hull, auto.at[0]))
        rows.append(Row(budget, auto, other, to_hull, _to(auto, other.right)))
    halves = []
    for i, plan in enumerate(best):
        cells = [plan.say(case.ladders.rungs), f"{fixed[plan].at[1]:.3f}", _k(fixed[plan].at[0])]
        for auto in runs[2 * BUDGETS + i * len(SHARES) :][: len(SHARES)]:
            ahead = _to(auto, fixed[plan].right)
            cells.append(f"{auto.at[1]:.3f} at {auto.at[0] / fixed[plan].at[0]:.2f}×")
            cells.append(_ahead(ahead))
        any_ = case.chosen([_any_within(SHARES[0] * fixed[plan].at[0])])[0]
        cells += [f"{any_.at[1]:.3f} at {any_.at[0] / fixed[plan].at[0]:.2f}×"]
        spent, most = case.bound(SHARES[0] * fixed[plan].at[0])
        cells += [f"{100 * (most - fixed[plan].at[1]):+.1f} at {spent / fixed[plan].at[0]:.2f}×"]
        plain = fixed[case.plain()[-1]]
        cells += [f"{plain.at[1]:.3f} at {plain.at[0] / fixed[plan].at[0]:.2f}×"]
        cells += [_ahead(_to(plain, fixed[plan].right))]
        halves.append(f"| {case.name} | {' | '.join(cells)} |")
    return Judged(rows, halves)


def _to(ours: Run, theirs: Floats) -> Difference:
    found = paired_difference(_list(ours.right), _list(theirs))
    assert found is not None
    return found


def _within(budget: float) -> Choose:
    """Choose as `auto` does: among plain ladders, by accuracies that were drawn to a line."""
    return lambda played: played.keep(lambda plan: plan.is_plain).steady().mix(budget)


def _any_within(budget: float) -> Choose:
    """Choose among all ladders by what they came to."""
    return lambda played: played.mix(budget)


def _fixed_within(budget: float) -> Choose:
    return lambda played: played.keep(lambda plan: len(plan.stages) == 1).mix(budget)


def _on_hull(hull: Sequence[Run], work: float) -> Floats:
    """Return the accuracy of each problem where two settings are mixed to take so much work."""
    if work <= hull[0].at[0]:
        return hull[0].right
    for low, high in pairwise(hull):
        if work <= high.at[0]:
            share = (work - low.at[0]) / (high.at[0] - low.at[0])
            return (1 - share) * low.right + share * high.right
    return hull[-1].right


def _list(values: Floats) -> list[float]:
    return [min(1.0, max(0.0, float(value))) for value in values]


def _k(work: float) -> str:
    return f"{work / 1000:.1f}"


_COLUMNS = "| work | span | random | drawn at all"


def _cells(run: Run) -> str:
    """Write accuracy, work and span, and what a random pick and the best selector would get."""
    drawn = f"{run.random.mean():.3f} | {run.coverage.mean():.3f}"
    return f"{run.at[1]:.3f} | {_k(run.at[0])} | {_k(float(run.span.mean()))} | {drawn}"


def _ahead(difference: Difference) -> str:
    mean, low, high = (100 * value for value in difference[:3])
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"


def page(cases: Sequence[Case], left: dict[str, str], *, named: bool) -> str:
    """Lay everything out as Markdown."""
    how = "each an answer of its own" if named else "no vote, and disagreement"
    said = [
        "# Effort as a dial: results" + ", missing answers counted as given" * named,
        "",
        f"Generated by `python -m benchmarks.efforts{' --named' * named} --page FILE`; not edited "
        "by hand. Recorded samples of Epoch AI's public logs (CC BY 4.0), eight a problem at each "
        f"effort, {cases[0].orders} orders and splits into five folds; work in thousand tokens a "
        "problem, thinking included; differences in points with 95 % intervals over problems. "
        f"Missing answers: {how}.",
        "",
        "`auto` and *best fixed* are chosen on the other folds within a mean budget; fixed "
        "settings and their hull are taken in hindsight, on all problems, which flatters them. "
        "*Random*: a random pick among what was drawn. *Drawn at all*: the right answer was among "
        "it, which is the best that a selector could do.",
    ]
    halves, worst = [], []
    for case in cases:
        fixed = case.fixed()
        settled, more = judged(case, fixed)
        halves += more
        low = min(settled, key=lambda row: row.to_hull.mean)
        worst.append(f"{case.name}: {_ahead(low.to_hull)} at {_k(low.auto.at[0])}")
        said += ["", f"## {case.name}", ""]
        said += [f"| setting | accuracy {_COLUMNS} |"]
        said += ["|---|---|---|---|---|---|"]
        for plan, run in fixed.items():
            if plan.votes in (1, 2, 3, 5, 7) or len(plan.stages) > 1:
                said.append(f"| {plan.say(case.ladders.rungs)} | {_cells(run)} |")
        said += ["", f"| budget | `auto` {_COLUMNS} | best fixed | work | to it | to the hull |"]
        said.append("|---|" + "---|" * 9)
        for row in settled:
            other = row.best_fixed.at
            said.append(
                f"| {_k(row.budget)} | {_cells(row.auto)} | {other[1]:.3f} | {_k(other[0])} | "
                f"{_ahead(row.to_fixed)} | {_ahead(row.to_hull)} |"
            )
    said += [
        "",
        "## At half the work of the best setting of three votes, and of three or more",
        "",
        "| case | best setting | accuracy | work | `auto` at .5 | to it | `auto` at .45 | to it "
        "| chosen among all ladders, at .5 | bound at .5, to it "
        "| two, then the top if they disagree | to it |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *halves,
        "",
        "The aim was that accuracy at half the work. `auto` chooses among votes at one effort and "
        "plain ladders (two samples, one more if they disagree), the accuracy of each drawn half "
        "way to a line over log work; which plans, and half, were chosen on these recordings. "
        "*Chosen among all ladders*: what it did before, among some hundred plans by what each "
        "came to on 36 problems of OTIS (158 of GPQA), of which one is 2.8 (.6) points. *Bound*: "
        "the best mixture of any two of all ladders at half the work, in hindsight on the problems "
        "that it is judged by. The last two columns are one ladder, named beforehand: two samples "
        "at the effort below the top, one at the top if they disagree.",
        "",
        f"Furthest below the hull (at most {100 * POINT:.0f} point is the aim): "
        + "; ".join(worst)
        + ".",
        "",
        "Left out: " + "; ".join(f"{name}: {why}" for name, why in left.items()) + ".",
    ]
    return "\n".join(said) + "\n"


def main() -> None:
    """Run everything and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="one order of one set")
    parser.add_argument("--orders", type=int, default=10, help="orders and splits")
    parser.add_argument("--named", action="store_true", help="missing answers get a name each")
    parser.add_argument("--page", type=Path, help="write the page here")
    told = parser.parse_args()
    orders = 1 if told.smoke else told.orders
    wanted = [(name, model) for model in MODELS for name in FILES][: 1 if told.smoke else None]
    cases = [read_case(name, model, orders, named=told.named)[0] for name, model in wanted]
    left = {} if told.smoke else {k: v for name in FILES for k, v in left_out(name).items()}
    text = page(cases, left, named=told.named)
    if told.page:
        told.page.write_text(text)
    else:
        print(text)  # its output


if __name__ == "__main__":
    main()
