"""Claims on recorded efforts of hosted models: Epoch AI's public logs (CC BY 4.0)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations
from statistics import fmean

import numpy as np
from benchmarks.recorded_claims.judged import DATA, Asked, Sides, judge

from workspan.errors import DataError
from workspan.lab.map.rows import Row
from workspan.recordings.parquet import read_recordings
from workspan.recordings.recording import Recording

FILES = {"OTIS mock AIME": "epoch_otis_mock_aime", "GPQA diamond": "epoch_gpqa_diamond"}
MODELS = ("openai/gpt-5.1", "anthropic/claude-opus-4-6")
"""Those with eight samples a problem at two efforts or more, and answers that were logged."""
ORDER = ("low", "medium", "high", "32k", "64k")
MISSING = 0.1
VOTES = 3
_SOURCE = "Epoch AI's public logs (CC BY 4.0); Snell et al. 2024, arXiv:2408.03314"
_GIVEN = (
    "Recorded samples, eight a problem and effort; a missing answer votes for nothing; every "
    "subset of them counts once."
)

PAST_BEST = Asked(
    name="effort_past_best",
    idea="overthinking",
    claim="The highest effort is not the best: the one below it is more accurate.",
    source=_SOURCE,
    statistic="accuracy at the effort below the top minus that at the top",
    budget="one sample",
    why="Recorded samples, eight a problem and effort; means over them.",
)
OVER_VOTES = Asked(
    name="effort_over_votes",
    idea="effort",
    claim="One sample at the highest effort beats as many votes at the lowest as its tokens buy.",
    source=_SOURCE,
    statistic="accuracy of one sample at the top minus that of the votes at the lowest effort",
    budget="the tokens of one sample at the top",
    why=_GIVEN + " Where the top costs less than twice the lowest, its tokens buy one sample.",
)
VOTES_PAST = Asked(
    name="votes_past_effort",
    idea="effort",
    claim="Above the highest effort votes are the dial: three samples there beat one.",
    source=_SOURCE,
    statistic="accuracy of a vote over three at the top effort minus that of one",
    budget="one against three samples",
    why=_GIVEN + " Three cost three times as much as one: this is what more buys, not a match.",
)


def rows() -> dict[str, Callable[[], list[Row]]]:
    """Return what measures each claim, by name."""
    return {
        PAST_BEST.name: lambda: _each(PAST_BEST, past_best),
        OVER_VOTES.name: lambda: _each(OVER_VOTES, over_votes),
        VOTES_PAST.name: lambda: _each(VOTES_PAST, votes_past),
    }


def _each(asked: Asked, sides: Callable[[list[Recording]], Sides]) -> list[Row]:
    return [
        judge(asked, model.rpartition("/")[2], {name: sides(found) for name, found in known})
        for model in MODELS
        if (known := [*ladders(model)])
    ]


def past_best(ladder: Sequence[Recording]) -> Sides:
    """Compare the effort below the top with the top."""
    return Sides(_by_problem(ladder, -2, 1), _by_problem(ladder, -1, 1))


def over_votes(ladder: Sequence[Recording]) -> Sides:
    """Compare one at the top with the votes at the lowest that its tokens buy."""
    votes = max(1, int(tokens(ladder[-1]) / tokens(ladder[0])))
    return Sides(_by_problem(ladder, -1, 1), _by_problem(ladder, 0, votes))


def votes_past(ladder: Sequence[Recording]) -> Sides:
    """Compare three at the top with one."""
    return Sides(_by_problem(ladder, -1, VOTES), _by_problem(ladder, -1, 1))


def tokens(one: Recording) -> float:
    """Return the tokens of a sample, on the mean."""
    return fmean(chain.tokens for many in one.chains.values() for chain in many)


def vote(one: Recording, name: str, votes: int) -> float:
    """Return how often a vote over so many of a problem's samples is right: over all subsets."""
    [problem] = [each for each in one.problems if each.id == name]
    said = [chain.answers[-1] for chain in one.chains[name]]
    right = {answer: one.grade(problem, answer) for answer in {*said}}
    return fmean(_led(some, right) for some in combinations(said, votes))


def _led(said: Sequence[str | None], right: dict[str | None, float]) -> float:
    """Return how right the leader is; of several each counts in part, and of none nothing."""
    counts = Counter(answer for answer in said if answer is not None)
    most = max(counts.values(), default=0)
    leaders = [answer for answer, count in counts.items() if count == most]
    return fmean(right[answer] for answer in leaders) if leaders else 0.0


def _by_problem(ladder: Sequence[Recording], rung: int, votes: int) -> np.ndarray:
    common = set.intersection(*({*one.chains} for one in ladder))
    return np.array([vote(ladder[rung], name, votes) for name in sorted(common)])


@cache
def _read(file: str, model: str) -> tuple[Recording, ...]:
    try:
        return read_recordings(
            DATA / "recordings" / f"{file}.parquet",
            [model],
            unlogged=MISSING,
            names_missing=False,
        ).recordings
    except DataError:
        return ()


def ladders(model: str) -> Iterator[tuple[str, list[Recording]]]:
    """Yield a model's efforts on each set, the lowest first, where there are two or more."""
    for name, file in FILES.items():
        known = {one.effort: one for one in _read(file, model)}
        ladder = [known[effort] for effort in ORDER if effort in known]
        if len(ladder) > 1:
            yield name, ladder
