"""Claims on recorded thinking chains, asked for their answer every 500 tokens: Qwen3, AIME."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from benchmarks.recorded_claims.judged import DATA, Asked, Sides, judge

from workspan.lab.map.rows import Row
from workspan.recordings.parquet import read_recordings
from workspan.recordings.recording import Chain, Recording

if TYPE_CHECKING:
    from benchmarks.recorded_claims.judged import Floats

FILE = DATA / "chains" / "parallel_probe_qwen3.parquet"
DRAWS = 200
"""Votes of each problem that are dealt from its chains."""
SHORT, LONG = (8_192, 16_384), (65_536, 131_072)
"""Budgets below and above what one natural chain takes (14k to 20k tokens)."""
CAP = 16_384
WIDTHS = (16, 64)
EIGHTH = 8
POWER = 4
"""Of the weight (1 - rank of length)."""
_GIVEN = (
    "Recorded chains of AIME 2024 and 2025; a chain that is cut answers as it did when it was last "
    "asked, which was not charged; chains are dealt anew 200 times a problem."
)

WITHIN = Asked(
    name="chain_within_its_end",
    idea="sequential",
    claim="Within less than a natural chain, one chain beats a vote over four of a quarter.",
    source="Mirtaheri et al. 2025, arXiv:2505.21825",
    statistic="accuracy of one chain minus that of a vote over four cut at a quarter",
    budget="8k and 16k work",
    why=_GIVEN,
)
PAST = Asked(
    name="votes_past_its_end",
    idea="parallel",
    claim="With several times a natural chain's work, votes over chains beat the one chain.",
    source="Ghosal et al. 2025, arXiv:2506.04210",
    statistic="accuracy of a vote over chains of at most 16k minus that of one chain",
    budget="64k and 128k work",
    why=_GIVEN + " The one chain ends by itself: it was not kept going.",
)
LONGER = Asked(
    name="longer_chains",
    idea="overthinking",
    claim="Of one problem's chains, the shortest are right more often than the longest.",
    source="Hassid et al. 2025, arXiv:2505.17813",
    statistic="accuracy of the shortest eighth minus that of the longest",
    budget="one chain",
    why=(
        "Recorded chains of AIME 2024 and 2025 that ended with an answer; their lengths are the "
        "model's own: nobody forced them, so this is no proof that thinking longer harms."
    ),
)
WEIGHTED = Asked(
    name="early_weighted",
    idea="selected_votes",
    claim="A vote in which shorter chains weigh more beats the plain vote of the same chains.",
    source="Hassid et al. 2025, arXiv:2505.17813; Zeng et al. 2025, arXiv:2502.12215",
    statistic="accuracy of the vote with weights (1 - rank of length)^4 minus the plain one",
    budget="16 and 64 whole chains",
    why="Recorded chains of AIME 2024 and 2025; the exponent was fixed before, and not learnt.",
)
FIRST = Asked(
    name="first_to_end",
    idea="selected_votes",
    claim="A vote of the first eighth of the chains to end beats the vote of all of them.",
    source="Hassid et al. 2025, arXiv:2505.17813",
    statistic="accuracy of the vote of the first 8 of 64 to end minus that of all 64",
    budget="64 chains begun",
    why="Recorded chains of AIME 2024 and 2025; how many are waited for was fixed before.",
)


@dataclass(frozen=True, slots=True)
class Coded:
    """One problem's chains, answers as numbers; -1 is none."""

    chains: tuple[Chain, ...]
    codes: Mapping[str, int]
    right: Floats
    """How right each number is; the last is that of no answer."""

    def at(self, cap: int) -> np.ndarray:
        """Return what each chain says when it is cut there."""
        said = (chain.answer_at(min(cap, chain.tokens)) for chain in self.chains)
        return np.array([-1 if answer is None else self.codes[answer] for answer in said])

    @property
    def lengths(self) -> np.ndarray:
        """Decoded tokens of each."""
        return np.array([chain.tokens for chain in self.chains])

    def one(self, cap: int) -> float:
        """Return how often a chain is right within a cap."""
        return float(self.right[self.at(cap)].mean())

    def vote(self, cap: int, width: int, draws: np.ndarray) -> float:
        """Return how often a vote of so many is right; of several leaders each counts in part."""
        return self.weighed(self.at(cap)[draws[:, :width]], np.ones((len(draws), width)))

    def weighed(self, said: np.ndarray, weights: np.ndarray) -> float:
        """Return how often a weighed vote is right: rows are votes."""
        totals = np.stack([(weights * (said == code)).sum(axis=1) for code in range(self.answers)])
        leads = (totals >= totals.max(axis=0) - 1e-9) & (totals.max(axis=0) > 0)
        shares = leads / np.maximum(leads.sum(axis=0), 1)
        return float((self.right[:-1] @ shares).mean())

    @property
    def answers(self) -> int:
        """How many different ones."""
        return max(1, len(self.right) - 1)


def rows() -> dict[str, Callable[[], list[Row]]]:
    """Return what measures each claim, by name."""
    made: dict[str, tuple[Asked, Callable[[list[Coded]], dict[str, Sides]]]] = {
        WITHIN.name: (WITHIN, within),
        PAST.name: (PAST, past),
        LONGER.name: (LONGER, longer),
        WEIGHTED.name: (WEIGHTED, weighted),
        FIRST.name: (FIRST, first),
    }

    def measure(asked: Asked, sides: Callable[[list[Coded]], dict[str, Sides]]) -> list[Row]:
        return [judge(asked, model, sides(coded)) for model, coded in recorded().items()]

    return {name: lambda told=told: measure(*told) for name, told in made.items()}  # type: ignore[misc]


def within(coded: list[Coded]) -> dict[str, Sides]:
    """Compare one chain with four of a quarter."""
    return {
        f"{budget} tokens": _sides(
            [one.one(budget) for one in coded],
            [one.vote(budget // 4, 4, draws_of(one)) for one in coded],
        )
        for budget in SHORT
    }


def past(coded: list[Coded]) -> dict[str, Sides]:
    """Compare votes over chains of at most 16k with one chain."""
    return {
        f"{budget} tokens": _sides(
            [one.vote(CAP, budget // CAP, draws_of(one)) for one in coded],
            [one.one(budget) for one in coded],
        )
        for budget in LONG
    }


def longer(coded: list[Coded]) -> dict[str, Sides]:
    """Compare the shortest eighth of a problem's chains with the longest."""
    short, long = [], []
    for one in coded:
        said, lengths = one.at(10**9), one.lengths
        order = np.argsort(lengths, kind="stable")
        ended = order[said[order] >= 0]
        few = max(1, len(ended) // EIGHTH)
        if len(ended):
            short.append(float(one.right[said[ended[:few]]].mean()))
            long.append(float(one.right[said[ended[-few:]]].mean()))
    return {"shortest and longest eighth": _sides(short, long)}


def weighted(coded: list[Coded]) -> dict[str, Sides]:
    """Compare votes weighed by rank of length with plain ones, on the same chains."""
    found = {}
    for width in WIDTHS:
        ours, theirs = [], []
        for one in coded:
            drawn = draws_of(one)[:, :width]
            said, lengths = one.at(10**9)[drawn], one.lengths[drawn]
            rank = lengths.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
            ours.append(one.weighed(said, (1 - rank / width) ** POWER))
            theirs.append(one.weighed(said, np.ones(said.shape)))
        found[f"{width} chains"] = _sides(ours, theirs)
    return found


def first(coded: list[Coded]) -> dict[str, Sides]:
    """Compare a vote of the first to end with that of all, on the same chains."""
    width = WIDTHS[-1]
    ours, theirs = [], []
    for one in coded:
        drawn = draws_of(one)[:, :width]
        said, lengths = one.at(10**9)[drawn], one.lengths[drawn]
        rank = lengths.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        ours.append(one.weighed(said, (rank < width // EIGHTH).astype(float)))
        theirs.append(one.weighed(said, np.ones(said.shape)))
    return {f"8 of {width}": _sides(ours, theirs)}


@cache
def recorded() -> dict[str, list[Coded]]:
    """Read the chains of every model."""
    return {
        one.model.rpartition("/")[2]: [coded(one, problem.id) for problem in one.problems]
        for one in read_recordings(FILE, kind="math").recordings
    }


def coded(recording: Recording, name: str) -> Coded:
    """Number the answers of a problem."""
    [problem] = [one for one in recording.problems if one.id == name]
    chains = recording.chains[name]
    answers = dict.fromkeys(a for chain in chains for a in chain.answers if a is not None)
    codes = {answer: code for code, answer in enumerate(answers)}
    right = [float(recording.grade(problem, answer) >= 0.5) for answer in answers]
    return Coded(chains, codes, np.array([*right, 0.0]))


def draws_of(one: Coded) -> np.ndarray:
    """Deal a problem's chains: a row is an order of them."""
    rng = np.random.default_rng(0)
    return rng.permuted(np.tile(np.arange(len(one.chains)), (DRAWS, 1)), axis=1)


def _sides(ours: list[float], theirs: list[float]) -> Sides:
    return Sides(np.array(ours), np.array(theirs))
