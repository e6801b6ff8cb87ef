"""A second opinion on tree policies: treequest 0.3.3 (Apache-2.0), the AB-MCTS authors' library."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest

from workspan.search.ab_mcts import AdaptiveBranching, Ask
from workspan.search.order import BestFirst, keep_best
from workspan.search.posterior import Beta, Family, Gaussian, prior
from workspan.search.tree import Tree
from workspan.search.uct import Uct

treequest: Any = pytest.importorskip("treequest")
Standard: Any = treequest.StandardMCTS

Path = tuple[int, ...]
"""A node's state here: its birth rank among its siblings, on each level."""

RUNS, NODES = 200, 32


def fixed_score(path: Path) -> float:
    """Score a place in the tree, the same in both libraries; no two are equal."""
    return Random(repr(path)).random()


def paths(tree: Tree[Path]) -> list[Path]:
    return tree.items[1:]


def foreign_paths(algorithm: Any, steps: int) -> list[Path]:
    """Let treequest grow a tree of paths with fixed scores."""
    state = algorithm.init_tree()
    births: dict[Path, int] = {}

    def generate(parent: Path | None) -> tuple[Path, float]:
        above = parent or ()
        births[above] = births.get(above, -1) + 1
        child = (*above, births[above])
        return child, fixed_score(child)

    for _ in range(steps):
        state = algorithm.step(state, {"": generate}, inplace=True)
    return [path for path, _ in algorithm.get_state_score_pairs(state)]


def grow(search: Uct[Path] | BestFirst[Path], children: int, steps: int) -> list[Path]:
    for _ in range(steps // children):
        node = search.ask()
        for rank in range(children):
            path = (*search.tree.items[node], rank)
            search.tell(node, path, fixed_score(path))
    return paths(search.tree)


@pytest.mark.parametrize("children", [1, 2, 5])
@pytest.mark.parametrize("c", [0.0, 0.3, math.sqrt(2)])
def test_uct_grows_the_same_tree_but_for_its_softmax_prior(children: int, c: float) -> None:
    class Plain(Standard):  # type: ignore[misc]
        def _update_priors(self, state: Any, parent: Any) -> None:
            """Leave the exploration term as Kocsis & Szepesvári have it."""

    theirs = foreign_paths(Plain(samples_per_action=children, exploration_weight=c), 60)
    assert grow(Uct((), c), children, 60) == theirs


@pytest.mark.parametrize("children", [1, 2, 5])
def test_best_first_grows_the_same_tree(children: int) -> None:
    from treequest.algos.best_first_search import BestFirstSearchAlgo

    theirs = foreign_paths(BestFirstSearchAlgo(num_samples=children), 60)
    assert grow(BestFirst(()), children, 60) == theirs


def test_tot_bfs_keeps_the_same_frontier_below_its_single_first_thought() -> None:
    """Treequest draws one child of the root; from there on, k for each of the b best."""
    b, k, levels = 3, 5, 4
    algorithm = treequest.TreeOfThoughtsBFSAlgo(breadth_limit=b, size_limit=k)
    theirs = foreign_paths(algorithm, 1 + k + (levels - 1) * b * k)
    frontier: list[Path] = [(0,)]
    ours: list[Path] = [(0,)]
    for _ in range(levels):
        level: list[Path] = [(*path, rank) for path in frontier for rank in range(k)]
        ours += level
        frontier = [level[i] for i in keep_best([fixed_score(path) for path in level], b)]
    assert theirs == ours


@pytest.mark.parametrize("family", ["gaussian", "beta"])
def test_posteriors_agree_after_every_score(family: Family) -> None:
    from treequest.algos.ab_mcts_a.prob_state import PriorConfig, ProbabilisticDist

    theirs, ours = ProbabilisticDist(PriorConfig(dist_type=family)), prior(family)
    rng = Random(11)
    for score in [0.0, 1.0, 1.0, *(rng.random() for _ in range(40))]:
        theirs.tell_observation(score)
        ours = ours.after(score)
        if isinstance(ours, Gaussian):
            expected = {"m": ours.m, "kappa": ours.kappa, "nu": ours.nu, "tau_square": ours.tau2}
        else:
            expected = {"a": ours.a, "b": ours.b}
        assert theirs.params == pytest.approx(expected)


def test_beliefs_agree_at_every_node_of_one_tree() -> None:
    """The tree that treequest grew, told to ours: the same GEN, CONT and child beliefs."""
    algorithm = treequest.ABMCTSA(dist_type="beta")
    state, rng = algorithm.init_tree(), Random(3)
    for _ in range(60):
        state = algorithm.step(state, {"": lambda _: ("x", rng.random())}, inplace=True)
    ours: AdaptiveBranching[str] = AdaptiveBranching("", Beta())
    nodes = state.tree.get_nodes()
    for node in nodes[1:]:
        ours.tell(Ask(node.parent.expand_idx + 1, ""), "x", node.score)
    for node in nodes:
        belief = state.thompson_states.get(node)
        if belief is None:
            continue
        here = node.expand_idx + 1
        shared = belief.gen_vs_cont_probas["shared"]
        assert shared["GEN"].params == pytest.approx(_params(ours.gen[here]))
        assert shared["CONT"].params == pytest.approx(_params(ours.cont[here]))
        for rank, child in enumerate(ours.tree.children[here]):
            theirs = belief.node_probas["shared"][rank].params
            assert theirs == pytest.approx(_params(ours.below[child]))


def _params(belief: Any) -> dict[str, float]:
    return {"a": belief.a, "b": belief.b}


def proposer(gain: float, rng: Random) -> Callable[[float | None], float]:
    """Score a draft about 0.4 and a child `gain` above its parent, with noise."""

    def score(parent: float | None) -> float:
        mean = 0.4 if parent is None else parent + gain
        return min(0.99, max(0.0, mean + rng.gauss(0, 0.1)))

    return score


Shape = tuple[float, float, float, float]
"""Children of the root, mean depth, deepest, best score."""


def shape(tree_children: int, depths: Sequence[int], scores: Sequence[float]) -> Shape:
    return tree_children, statistics.fmean(depths), max(depths), max(scores)


def our_shape(family: Family, gain: float, batch: int, seed: int) -> Shape:
    rng = Random(seed)
    make = proposer(gain, rng)
    search: AdaptiveBranching[float | None] = AdaptiveBranching(None, prior(family))
    for _ in range(NODES // batch):
        for ask in [search.ask(rng) for _ in range(batch)]:
            score = make(search.tree.items[ask.node])
            search.tell(ask, score, score)
    tree = search.tree
    return shape(len(tree.children[0]), tree.depths[1:], tree.scores[1:])


def their_shape(family: Family, gain: float, batch: int, seed: int) -> Shape:
    import numpy as np

    np.random.seed(seed)  # the only seed that treequest has
    make = proposer(gain, Random(seed + 1_000_000))
    algorithm = treequest.ABMCTSA(dist_type=family)
    state = algorithm.init_tree()
    for _ in range(NODES // batch):
        state, trials = algorithm.ask_batch(state, batch, [""])
        for trial in trials:
            score = make(trial.parent_state)
            state = algorithm.tell(state, trial.trial_id, (score, score))
    nodes = state.tree.get_nodes()[1:]
    depths, scores = [node.depth for node in nodes], [node.score for node in nodes]
    return shape(len(state.tree.root.children), depths, scores)


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("gain", [-0.2, 0.0, 0.1])
@pytest.mark.parametrize("family", ["gaussian", "beta"])
def test_trees_have_the_same_shape_over_many_seeds(family: Family, gain: float, batch: int) -> None:
    """Two-sample test on means: each within four standard errors of the difference."""
    ours = [our_shape(family, gain, batch, seed) for seed in range(RUNS)]
    theirs = [their_shape(family, gain, batch, seed) for seed in range(RUNS)]
    for a, b in zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True):
        error = math.sqrt((statistics.variance(a) + statistics.variance(b)) / RUNS)
        assert abs(statistics.fmean(a) - statistics.fmean(b)) <= 4 * error + 1e-9


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("family", ["gaussian", "beta"])
def test_two_actions_get_the_same_shares_over_many_seeds(family: Family) -> None:
    """The stronger action scores 0.6 and the weaker 0.4, whatever the parent."""
    import numpy as np

    means = {"weak": 0.4, "strong": 0.6}
    steps, runs = 24, 100

    def score(action: str, rng: Random) -> float:
        return min(0.99, max(0.0, rng.gauss(means[action], 0.1)))

    def our_share(seed: int) -> float:
        rng = Random(seed)
        search: AdaptiveBranching[str] = AdaptiveBranching("", prior(family), list(means))
        taken = []
        for _ in range(steps):
            ask = search.ask(rng)
            taken.append(ask.action)
            search.tell(ask, ask.action, score(ask.action, rng))
        return taken.count("strong") / steps

    def their_share(seed: int) -> float:
        np.random.seed(seed)  # the only seed that treequest has
        rng, algorithm = Random(seed + 1_000_000), treequest.ABMCTSA(dist_type=family)
        state, taken = algorithm.init_tree(), []
        for _ in range(steps):
            state, trial = algorithm.ask(state, list(means))
            taken.append(trial.action)
            state = algorithm.tell(state, trial.trial_id, ("x", score(trial.action, rng)))
        return taken.count("strong") / steps

    a, b = [our_share(seed) for seed in range(runs)], [their_share(seed) for seed in range(runs)]
    error = math.sqrt((statistics.variance(a) + statistics.variance(b)) / runs)
    assert statistics.fmean(a) > 0.6
    assert abs(statistics.fmean(a) - statistics.fmean(b)) <= 4 * error
