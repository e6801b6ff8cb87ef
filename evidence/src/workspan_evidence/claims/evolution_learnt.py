"""Evolution, revision and sampling with a proposer that was trained, not scripted."""

from __future__ import annotations

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import gap, row
from workspan_evidence.claims._timetables import BUDGET, FAMILY, solved


def measure(setting: Setting) -> Measured:
    """Return how far evolution is ahead of sampling; what else was run stands beside it."""
    grades, ideal = solved(setting)
    rows: list[Row] = [row(name, values) for name, values in grades.items()]
    rows.append(Row("one plan, closed form of the strategy it was taught", ideal, ideal, ideal))
    for one, other in (("evolution", "revision"), ("revision", "best of n")):
        rows.append(Row(f"{one} minus {other}", *gap(grades[one], grades[other])))
    lead = gap(grades["evolution"], grades["best of n"])
    return Measured(*lead, len(grades["evolution"]), tuple(rows))


CLAIM = Claim(
    name="evolution_learnt",
    statement="With a learnt proposer, too, evolution solves more plans than sampling.",
    source="Lee et al., Evolving Deeper LLM Thinking, arXiv:2501.09891",
    design=(
        f"{FAMILY.n} items in {FAMILY.slots} slots under {FAMILY.clashes} clashes, {BUDGET} at "
        "most: best of n, one thread of revision, Mind Evolution on one island. The model "
        "proposes plans, mends one whose clash the evaluator names, or mixes two."
    ),
    statistic="timetables solved, evolution minus best of n",
    line=0.0,
    on="the trained reasoner; evaluator and accounts are real",
    changes="a proposer whose revisions see more, or whose first plans are worse",
    measure=measure,
    idea="evolution",
    budget="400 work",
    model="reasoner:planning",
    kind="reasoner",
)
