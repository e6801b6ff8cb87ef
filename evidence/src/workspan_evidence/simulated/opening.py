"""The simulated engines as the registry opens them."""

from __future__ import annotations

from typing import Literal

from workspan.core.engine import Engine
from workspan.errors import InputError, SpecError, at_least, within
from workspan.registry.card import Card, carded

_SOURCE = "this project; simulated, no model"


@carded(
    Card(
        example="simulated_planner(task='trip_planning(cities=4)', limit=4)",
        form="simulated_planner(task='trip_planning(cities=6)', limit=100)",
        source=_SOURCE,
    )
)
def simulated_planner(
    task: str, limit: int = 100, seed: int = 0, follows: float = 0.8, skill: float = 0.5
) -> Engine:
    """Open a program that plans by chance and follows feedback as often as it is told: no model.

    Args:
        task: the set of plans whose problems it knows.
        limit: how many of them, as the run has.
        seed: of the problems, as the run has.
        follows: probability that a violation which a prompt names is attended to.
        skill: probability that a single choice in a draft is a sensible one.

    Raises:
        SpecError: the set's problems are no plans.
    """
    from workspan.tasks import open_tasks
    from workspan_evidence.simulated.planner import SimulatedPlanner

    at_least(1, limit=limit)
    within(0, 1, follows=follows, skill=skill)
    problems = [each.problem for each in open_tasks(task).load(limit, seed)]
    try:
        return SimulatedPlanner.of(problems, follows=follows, skill=skill)
    except InputError as error:
        why = f"simulated_planner knows plans, such as trip_planning(cities=6), not {task}"
        raise SpecError(why) from error


@carded(
    Card(
        example="simulated_searcher",
        form="simulated_searcher(mode='parallel', k=3)",
        source=_SOURCE,
    )
)
def simulated_searcher(
    mode: Literal["sequential", "parallel", "dependency"] = "sequential", k: int = 3
) -> Engine:
    """Open a program that searches for what the questions of hops ask: no model.

    Args:
        mode: asks for one fact a round, for several, or for all that can be asked now.
        k: queries a round, at most.
    """
    from workspan_evidence.simulated.searcher import SimulatedSearcher

    at_least(1, k=k)
    return SimulatedSearcher(mode=mode, k=k)
