"""The weights of either format, and those between them."""

from __future__ import annotations

import numpy as np
import pytest

from workspan.claims import claim
from workspan.claims.base import Setting
from workspan_evidence.claims._chains import reasoner
from workspan_evidence.claims.training_format import blend, shares


def test_the_ends_of_a_blend_are_the_two_models() -> None:
    for part, asked in ((0.0, "free"), (1.0, "choice")):
        end, model = blend(Setting(), part), reasoner(f"formats-{asked}", Setting())
        assert np.array_equal(end.embedding, model.embedding)
        assert np.array_equal(end.head, model.head)


def test_each_model_keeps_its_strategy_in_the_other_format() -> None:
    for own, other, share in (("choice", "free", 1.0), ("free", "choice", 0.0)):
        model = reasoner(f"formats-{own}", Setting())
        breadth, right = shares(model, other, 12, Setting())  # type: ignore[arg-type]
        assert abs(breadth.mean() - share) < 0.1
        assert right.mean() > 0.8


@pytest.mark.slow
def test_a_strategy_carries_over_to_prompts_of_neither_format(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Setting, "size", lambda _, default, __: default // 4)
    assert claim("training_format").test(Setting()).verdict == "holds"
