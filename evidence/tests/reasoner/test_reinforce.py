"""The gradient of REINFORCE is the plain one."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from workspan_evidence.grammar import VOCABULARY  # noqa: E402
from workspan_evidence.reasoner.model import Shape  # noqa: E402
from workspan_evidence.train.formats import FORMATS  # noqa: E402
from workspan_evidence.train.network import Network  # noqa: E402
from workspan_evidence.train.reinforce import Plan, advantages, reinforce  # noqa: E402

TINY = replace(FORMATS, d=32, layers=1, heads=2, ff=32)
SHAPE = Shape(len(VOCABULARY), 32, 1, 2, 32, 256)


def test_an_advantage_is_the_reward_less_the_mean_of_the_others() -> None:
    assert advantages([1.0, 0.0, 0.0]) == [1.0, -0.5, -0.5]
    assert advantages([1.0, 1.0, 1.0, 1.0]) == [0.0] * 4


def test_without_a_right_chain_nothing_changes_and_a_seed_repeats() -> None:
    torch.manual_seed(0)
    network = Network(TINY)
    before = [p.detach().clone() for p in network.parameters()]
    plan = Plan("choice", seed=0, steps=2, d=4, limit=4, problems=2, chains=3)
    looks = reinforce(plan, network, SHAPE)
    assert [look.right for look in looks] == [0.0, 0.0]  # too short for any answer
    assert all(map(torch.equal, before, network.parameters()))
    torch.manual_seed(0)
    assert reinforce(plan, Network(TINY), SHAPE) == looks
