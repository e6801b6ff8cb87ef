"""The reasoner as the registry opens it."""

from __future__ import annotations

from pathlib import Path

from workspan.core.engine import Engine
from workspan.registry.card import Card, carded


@carded(
    Card(
        example="reasoner",
        form="reasoner[:NAME]",
        source="this project, trained here: docs/reasoner.md",
    )
)
def reasoner(model: str = "") -> Engine:
    """Open a tiny transformer for tasks such as deep(d=6): thousands of tokens a second on a CPU.

    Args:
        model: the name of the weights, or a path.
    """
    from workspan_evidence.reasoner.engine import Reasoner
    from workspan_evidence.reasoner.planner import NAME, Planner

    engine = Reasoner.open(model) if model else Reasoner.open()
    return Planner(engine) if Path(model).stem == NAME else engine
