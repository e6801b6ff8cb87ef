"""A vote across states: the model reads all of them and names the best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from workspan.core.session import Session
from workspan.data.types import Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError
from workspan.strategies.chosen import choice
from workspan.verifiers.spoken import is_whole

VOTE = (
    "Here are {n} ways to go on with this problem.\n\n{choices}\n\nWhich is the most promising? "
    "Compare them briefly, then end with a line of the form: Choice: <number>"
)


async def elect(
    session: Session,
    problem: Problem,
    states: Sequence[Candidate],
    votes: int,
    max_tokens: int,
) -> list[float | None]:
    """Return each state's share of the votes (the vote of Tree of Thoughts, arXiv:2305.10601).

    `max_tokens` is the cap of a vote. One that names no state is void; without any valid one
    there is no share, and the result's notices say so.
    """
    if len(states) < 2:
        return [1.0] * len(states)
    choices = "\n\n".join(f"Choice {i}:\n{state.text}" for i, state in enumerate(states, 1))
    *before, last = problem.prompt
    prompt = (*before, last.plus(f"\n\n{VOTE.format(n=len(states), choices=choices)}"))
    try:
        cast = await session.samples(Request(prompt, max_tokens=max_tokens), votes)
    except (BudgetExceeded, EngineError):
        cast = []
    read = [choice(vote.text, len(states), finished=is_whole(vote)) for vote in cast]
    tally = Counter(place for place in read if place is not None)
    if not tally:
        session.notice("no_verdict", "no vote named a state, so that there is no count")
        return [None] * len(states)
    return [tally[place] / tally.total() for place in range(len(states))]
