"""Half serial, half parallel, with a verifier: `auto` against restarts at every cap and Luby's.

The problems of `mixed_workload`, live on the trained reasoner, with the same hard budget of work on
each. The verifier is simulated: it knows the answers, and costs nothing. Best-of-n at every cap
that fits (as many chains as the budget has room for) and universal restarts at every unit compete
by the dial that was best on the calibration problems; `auto` has its profile from the same ones, or
none. Solved is what passed. Differences are paired over problems, 95 %.

Run with ``python -m benchmarks.verified_workload``; ``--smoke`` for a small run, ``--output`` for
JSON.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.mixed_workload import (
    BUDGETS,
    CAPS,
    LONGEST,
    TASKS,
    calibrated,
    chosen,
    line,
    mixed,
    told,
)
from benchmarks.workload import command, main

from workspan.answers import equivalent
from workspan.batch.compare import compare
from workspan.core.engine import Capability
from workspan.core.session import Score, Session, Strategy
from workspan.data.budget import Budget
from workspan.data.types import Candidate, Problem
from workspan.spec import write
from workspan.strategies.auto.auto import Auto
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.strategies.sequential.luby_restarts import LubyRestarts
from workspan_evidence.reasoner.engine import Reasoner

UNITS = (2, 4, 8, 16, 32)


@dataclass(frozen=True)
class SimulatedVerifier:
    """Knows the answers: a sound verifier, for nothing."""

    answers: Mapping[str, str] = field(repr=False)
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:  # noqa: ARG002
        """Pass what is right."""
        right, said = self.answers[problem.id], candidate.answer
        return Score(float(said is not None and equivalent(said, right, kind=problem.kind)))


def rivals(budget: int, verifier: SimulatedVerifier) -> dict[str, list[Strategy]]:
    """Return every setting of each kind."""
    fixed: list[Strategy] = [
        BestOfN(budget // cap, verifier, max_tokens=cap, temperature=1.0)
        for cap in sorted({*(cap for cap in CAPS if cap <= budget), budget})
    ]
    luby: list[Strategy] = [
        LubyRestarts(unit, verifier=verifier, temperature=1.0) for unit in UNITS if unit <= budget
    ]
    return {"best of n": fixed, "universal restarts": luby}


async def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Calibrate once, choose and measure at every budget."""
    engine, report = Reasoner.open("graphs"), []
    known = mixed(options.tasks, options.calibration, seed=1)
    held = mixed(options.tasks, options.problems, seed=options.seed)
    verifier = SimulatedVerifier({each.problem.id: str(each.reference) for each in [*known, *held]})
    with tempfile.TemporaryDirectory() as folder:
        profile, blind = Path(folder) / "profile.json", Path(folder) / "blind.json"
        await calibrated(engine, known, profile, blind)
        cold = Auto(verifier=verifier, probe="", max_tokens=LONGEST, temperature=1.0)
        for budget in options.budgets:
            kinds = {
                "auto": replace(cold, profile=str(profile)),
                "auto, prompt unread": replace(cold, profile=str(blind)),
                "auto, cold": cold,
                **await chosen(engine, known, budget, rivals(budget, verifier)),
            }
            done = await compare(
                [*kinds.values()], held, engine, budget=Budget(work=budget), seed=3
            )
            for row in told(done, write(kinds["auto"]), kinds):
                report.append({"budget": budget, **row})
                print(line(report[-1]), flush=True)
    return report


if __name__ == "__main__":
    parser = command(__doc__, TASKS, BUDGETS, problems=200, calibration=60)
    parser.add_argument("--seed", type=int, default=12, help="of the problems held out")
    main(measure, parser.parse_args(), "solved", smoke=(4, 4, 48))
