"""Whether reinforcement on a format brings a strategy forth that nothing rewards but its answers.

What is read is exact: the model's odds of the first token, which tells the strategy, averaged over
prompts of all three formats, so that models that were reinforced on different ones are read alike.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import Floats
from workspan.lab.stats import mean_of_runs
from workspan_evidence.claims._chains import one_thread
from workspan_evidence.claims.training_format import NAMES, mixed
from workspan_evidence.families.formats import Asked, Exits
from workspan_evidence.grammar import COMMA

if TYPE_CHECKING:
    from workspan_evidence.reasoner.model import Model
    from workspan_evidence.train.reinforce import Look

D = 5
LIMIT = 17
"""Up to 15 tokens and the answer: 2 of the 3 exits, one by one, or 3 dead ends of depth first."""
HALFWAY = 0.5
"""From the weights taught free form depth first to those taught multiple choice breadth first."""
LAST = 5
"""Steps at the end of a run whose chains tell how often it is right."""

Odds = dict[Asked, float]
"""Mean log-odds of breadth first, in nats, on prompts of each format."""


class Runs(NamedTuple):
    """What reinforcement did, for each seed and each format that it was on."""

    before: Odds
    after: tuple[dict[Asked, Odds], ...]
    looks: tuple[dict[Asked, list[Look]], ...]

    def shifts(self, trained: Asked, read: Asked | None = None) -> Floats:
        """Return each seed's change on prompts of one format, or on the mean of all."""
        on = (read,) if read else tuple(NAMES)
        return np.array(
            [np.mean([one[trained][a] - self.before[a] for a in on]) for one in self.after]
        )


def measure(setting: Setting) -> Measured:
    """Reinforce the halfway weights on each format, with several seeds."""
    problems = setting.size(40, 100)
    runs = reinforced(setting, setting.size(4, 16), setting.size(20, 60), problems)
    choice, free, useless = (runs.shifts(asked) for asked in NAMES)
    rows = [
        *(Row(f"start, {NAMES[a]}: log-odds", v, v, v) for a, v in runs.before.items()),
        *(
            _row(f"reinforced on {NAMES[a]}: change, read on its own", runs.shifts(a, a))
            for a in NAMES
        ),
        *(_row(f"reinforced on {NAMES[a]}: change, read on all", runs.shifts(a)) for a in NAMES),
        _row("options shown minus useless options, read on all", choice - useless),
        _row("no options minus useless options, read on all", free - useless),
        _row(
            "options shown minus no options, each on its own",
            runs.shifts("choice", "choice") - runs.shifts("free", "free"),
        ),
    ]
    for asked, name in NAMES.items():
        for when, part in (("first step", slice(1)), ("last steps", slice(-LAST, None))):
            looks = [one[asked][part] for one in runs.looks]
            for what in ("right", "breadth"):
                means = [np.mean([getattr(look, what) for look in each]) for each in looks]
                rows.append(_row(f"reinforced on {name}: {what}, {when}", np.array(means)))
    return Measured(*over_seeds(choice - free), problems, tuple(rows))


def reinforced(setting: Setting, seeds: int, steps: int, problems: int) -> Runs:
    """Reinforce and read: `seeds` runs a format, all from the same weights.

    Args:
        setting: whose root seed and weights.
        seeds: a seed's facts and random numbers are the same in every format.
        steps: of each run.
        problems: that each model is read on, in each format.
    """
    from workspan_evidence.train.reinforce import Plan, model_of, network_of, reinforce

    shape, tensors = mixed(setting, HALFWAY)
    after: list[dict[Asked, Odds]] = []
    looks: list[dict[Asked, list[Look]]] = []
    with one_thread():
        before = read(model_of(network_of(shape, tensors), shape), problems, setting)
        for seed in range(1000 * setting.seed, 1000 * setting.seed + seeds):
            after.append({})
            looks.append({})
            for asked in NAMES:
                network = network_of(shape, tensors)
                plan = Plan(asked, seed, steps, D, LIMIT)
                looks[-1][asked] = reinforce(plan, network, shape)
                after[-1][asked] = read(model_of(network, shape), problems, setting)
    return Runs(before, tuple(after), tuple(looks))


def read(model: Model, problems: int, setting: Setting) -> Odds:
    """Return the mean log-odds of breadth first in each format, on the same facts."""
    odds: Odds = {}
    for asked in NAMES:
        rng, family = Random(f"evaluation:formats:{setting.seed}"), Exits(D, asked)
        prompts = [family.problem(rng).prompt for _ in range(problems)]
        odds[asked] = float(np.mean([leaning(model.read(one).logits[0]) for one in prompts]))
    return odds


def leaning(logits: Floats) -> float:
    """Return the log-odds, in nats, that a chain begins with ``,``: breadth first."""
    others = np.delete(logits.astype(np.float64), COMMA)
    most = others.max()
    return float(logits[COMMA] - most - np.log(np.exp(others - most).sum()))


def over_seeds(values: Floats) -> tuple[float, float, float]:
    """Return a mean over seeds, two at least, and its 95 % t interval."""
    return float(values.mean()), *mean_of_runs(values.tolist())


def _row(what: str, values: Floats) -> Row:
    return Row(what, *over_seeds(values))


CLAIM = Claim(
    name="training_format_reinforced",
    statement=(
        "Reinforced on multiple choice, a model leans to breadth first more than reinforced on "
        "free form, though only right answers are rewarded."
    ),
    source="Lee et al., The CoT Encyclopedia, arXiv:2505.10185",
    design=(
        "Which of three exits does the source reach, over 5 forks, within 17 tokens: 15 and the "
        "answer. Within them exact breadth first solves 2/3 and exact depth first 13/16, so the "
        "start is right in about 0.7 and the reward has something to choose by. It is halfway "
        "between the weights formats-free and formats-choice and does either strategy in about "
        "half of its chains, in every format. REINFORCE, leave-one-out, Adam 3e-4, 16 problems of "
        "8 chains a step; 4 seeds of 20 steps, with --full 16 of 60. A seed's facts and random "
        "numbers are the same in every format. A third format, useless options, is the control."
    ),
    statistic=(
        "change of the log-odds of breadth first (nats; exact first-token odds on prompts of all "
        "three formats), reinforced with options minus without; interval over seeds"
    ),
    line=0.0,
    on="the trained reasoners formats-choice and formats-free, reinforced here",
    changes=(
        "another start, reward or length of training; the source's models differ by 0.82 nats "
        "(75.4 % and 57.4 % multi-path), which an interval below that excludes for this setting"
    ),
    measure=measure,
    trains=True,
    idea="training_format",
    budget="one chain",
    model="reasoner:formats-choice, formats-free",
    kind="reasoner",
)
