"""Simulated traffic: routes that never were, whose best setting is known.

A simulated model is right on a prompt with some probability, which differs between prompts; where
it is wrong, it falls for one wrong answer or says something that nobody else says. A vote of n
draws takes the answer that most of them give, the first drawn of equals. Accuracies are known from
200,000 simulated prompts. No model stands behind any of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from workspan.lab.advising.advice import Advice
from workspan.lab.advising.kept import Arm, Label, Said, Shadowed

NOW = "straight"
VOTES: Mapping[str, int] = {
    NOW: 1,
    "self_consistency(n=3)": 3,
    "self_consistency(n=9)": 9,
}
"""Settings, by how many draws they vote on."""
_KNOWN = 200_000
_TOKENS = 200.0
_OWN = 1_000
"""Numbers of answers that nobody else gives begin here."""


@dataclass(frozen=True, slots=True)
class Route:
    """A simulated route."""

    name: str
    easy: float
    """Of a prompt's chance to be answered rightly: the two parameters of its beta distribution."""
    hard: float
    trap: float
    """Share of wrong answers that are the same wrong one."""
    now: str = NOW

    @property
    def settings(self) -> tuple[str, ...]:
        """What is run beside."""
        return tuple(name for name in VOTES if name != self.now)


ROUTES = (
    Route("votes help much", 3.0, 2.0, 0.2),
    Route("votes help a little", 6.0, 1.0, 0.3),
    Route("votes help nothing", 0.05, 0.02, 0.9),
    Route("votes hurt", 2.0, 4.0, 0.95),
    Route("votes help much, and are there", 3.0, 2.0, 0.2, "self_consistency(n=9)"),
    Route("votes help nothing, and are there", 0.05, 0.02, 0.9, "self_consistency(n=9)"),
    Route("votes hurt, and are there", 2.0, 4.0, 0.95, "self_consistency(n=9)"),
    Route("three are enough, and nine are there", 30.0, 4.0, 0.3, "self_consistency(n=9)"),
    Route("nearly always the same, and nine are there", 0.02, 0.005, 1.0, "self_consistency(n=9)"),
)


def _drawn(
    route: Route, prompts: int, rng: np.random.Generator
) -> tuple[dict[str, NDArray[np.int64]], dict[str, NDArray[np.int64]]]:
    """Return for each setting the answers (0 is right) and the tokens of so many prompts."""
    chance = rng.beta(route.easy, route.hard, prompts)
    answers, tokens = {}, {}
    for name, n in VOTES.items():
        draws = np.where(rng.random((prompts, n)) < chance[:, None], 0, 1)
        own = (draws == 1) & (rng.random((prompts, n)) >= route.trap)
        draws[own] = _OWN + np.broadcast_to(np.arange(n), (prompts, n))[own]
        voted = _voted(draws)
        answers[name] = voted + (_OWN * n) * (voted >= _OWN)
        tokens[name] = rng.poisson(_TOKENS, (prompts, n)).sum(axis=1)
    return answers, tokens


def _voted(draws: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each row's most frequent answer, of equals the first drawn."""
    if draws.shape[1] == 1:
        return draws[:, 0]
    counts = (draws[:, :, None] == draws[:, None, :]).sum(axis=2, dtype=np.int8)
    found: NDArray[np.int64] = draws[np.arange(len(draws)), counts.argmax(axis=1)]
    return found


@cache
def known(route: Route) -> dict[str, float]:
    """Return the accuracy of each setting, from simulated prompts."""
    rng, sums = np.random.default_rng(7), dict.fromkeys(VOTES, 0)
    for _ in range(20):
        answers, _ = _drawn(route, _KNOWN // 20, rng)
        for name, said in answers.items():
            sums[name] += int((said == 0).sum())
    return {name: total / _KNOWN for name, total in sums.items()}


def traffic(route: Route, requests: int, seed: int, *, labels: bool) -> list[Shadowed]:
    """Return simulated requests of a route; with labels each answer that differs was judged."""
    rng = np.random.default_rng([seed, requests])
    answers, tokens = _drawn(route, requests, rng)
    found = []
    for place in range(requests):
        said = {name: int(answers[name][place]) for name in VOTES}
        numbers = {one: number for number, one in enumerate(dict.fromkeys(said.values()))}
        arms = tuple(
            _arm(name, name == route.now, numbers[said[name]], int(tokens[name][place]))
            for name in (route.now, *route.settings)
        )
        judged = [
            Label(number, "simulated", "right" if one == 0 else "wrong")
            for one, number in numbers.items()
        ]
        found.append(
            Shadowed(
                f"{place:08d}",  # as if they were drawn in this order
                0.0,
                "simulated",
                route.name,
                "number",
                f"{place}",
                arms,
                tuple(Said(number, "") for number in numbers.values()),
                "simulated" if labels else None,
                tuple(judged) if labels and len(numbers) > 1 else (),
            )
        )
    return found


def _arm(name: str, is_now: bool, answer: int, work: int) -> Arm:  # noqa: FBT001
    n = VOTES[name]
    return Arm(name, is_now, answer, None, "done", work, work // n, n, 50 * n, None, 0.0)


def is_right(advice: Advice, route: Route) -> bool | None:
    """Say whether advice is true of a route whose accuracies are known; None is undecided.

    A change is right where the setting is better, or cheaper and not worse by the margin; to keep
    is right where none is better by the margin, or as good and cheaper.
    """
    if advice.verdict == "undecided":
        return None
    ahead = {name: known(route)[name] - known(route)[route.now] for name in route.settings}
    cheaper = {name: VOTES[name] < VOTES[route.now] for name in route.settings}
    if advice.verdict == "change":
        name = advice.recommend
        return ahead[name] > 0 or (cheaper[name] and ahead[name] > -advice.margin)
    return not any(
        ahead[name] >= advice.margin or (cheaper[name] and ahead[name] >= 0)
        for name in route.settings
    )


def best(route: Route, margin: float) -> str:
    """Return the cheapest setting whose accuracy is within the margin of the best one's."""
    accuracies = known(route)
    most = max(accuracies.values())
    fit = [name for name, accuracy in accuracies.items() if accuracy > most - margin]
    return min(fit, key=lambda name: VOTES[name])
