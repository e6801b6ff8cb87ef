"""What strategy a model uses in a format that it was not taught in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import Floats, gap, row
from workspan_evidence.claims._chains import one_thread, reasoner
from workspan_evidence.families.formats import Asked, Exits, strategy

if TYPE_CHECKING:
    from workspan_evidence.reasoner.evaluation import Judged
    from workspan_evidence.reasoner.model import Model, Shape

Tensors: TypeAlias = dict[str, NDArray[Any]]

D = 4
LIMIT = 40
CHAINS = 8
BLENDS = (0.25, 0.5, 0.75)
NAMES: dict[Asked, str] = {
    "choice": "options shown",
    "free": "no options",
    "useless": "useless options",
}


def measure(setting: Setting) -> Measured:
    """Compare on prompts with useless options, new to both; other formats and blends stand by."""
    problems = setting.size(100, 400)
    choice, free = (reasoner(f"formats-{asked}", setting) for asked in ("choice", "free"))
    rows: list[Row] = []
    neutral: list[Floats] = []
    for name, model in (("multiple choice", choice), ("free form", free)):
        found: dict[Asked, tuple[Floats, Floats]] = {}
        for asked, shown in NAMES.items():
            breadth, right = found[asked] = shares(model, asked, problems, setting)
            rows.append(row(f"taught {name}, {shown}: breadth first", breadth))
            rows.append(row(f"taught {name}, {shown}: right", right))
        neutral.append(found["useless"][0])
    for part in BLENDS:
        breadth, right = shares(blend(setting, part), "useless", problems, setting)
        rows.append(row(f"{part:g} of the way to multiple choice: breadth first", breadth))
        rows.append(row(f"{part:g} of the way to multiple choice: right", right))
    return Measured(*gap(*neutral), problems, tuple(rows))


def shares(model: Model, asked: Asked, problems: int, setting: Setting) -> tuple[Floats, Floats]:
    """Return for each problem the share of chains that are breadth first, and that are right."""
    judged = drawn(model, asked, problems, setting)
    breadth = [[strategy(ids).is_breadth_first for ids in one.chains] for one in judged]
    return np.array(breadth).mean(axis=1), np.array([one.accuracy for one in judged])


def drawn(model: Model, asked: Asked, problems: int, setting: Setting) -> list[Judged]:
    """Draw chains for problems in one format."""
    from workspan_evidence.reasoner.evaluation import judge

    with one_thread():
        return judge(
            model,
            Exits(D, asked),
            problems=problems,
            chains=CHAINS,
            limit=LIMIT,
            min_p=0.0,  # it would hide the rarer strategy
            seed=setting.seed,
        )


def blend(setting: Setting, part: float) -> Model:
    """Return the model `part` of the way from free form's weights to multiple choice's."""
    from workspan_evidence.reasoner.model import Model

    return Model(*mixed(setting, part))


def mixed(setting: Setting, part: float) -> tuple[Shape, Tensors]:
    """Return the weights `part` of the way from free form's to multiple choice's."""
    from workspan_evidence.reasoner.model import read_weights

    (shape, free), (_, choice) = (
        read_weights(file(f"formats-{asked}", setting)) for asked in ("free", "choice")
    )
    return shape, {name: (1 - part) * free[name] + part * choice[name] for name in free}


def file(name: str, setting: Setting) -> Path:
    """Return the file of a recipe's weights, the package's or a training run's."""
    from workspan_evidence.reasoner.catalogue import find

    return setting.weights / f"{name}.safetensors" if setting.weights else find(name)


CLAIM = Claim(
    name="training_format",
    statement=(
        "A model taught multiple choice option by option goes breadth first, one taught free form "
        "depth first, on prompts of neither format."
    ),
    source="Lee et al., The CoT Encyclopedia, arXiv:2505.10185",
    design=(
        "Which of three exits does the source reach, over 4 forks. Both models come from one that "
        "does either strategy half of the time; 80 steps on options one by one, or on depth-first "
        "walks in free form. Read on prompts whose three options tell nothing. By construction: "
        "each format was taught with its strategy; what is measured is what carries over."
    ),
    statistic="share of breadth-first chains, taught multiple choice minus taught free form",
    line=0.5,
    on="the trained reasoners formats-choice and formats-free",
    changes="a strategy that stays tied to the format it was taught in",
    measure=measure,
    idea="training_format",
    budget="one chain",
    model="reasoner:formats-choice, formats-free",
    kind="reasoner",
)
