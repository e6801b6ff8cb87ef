"""One task in two formats, multiple choice and free form, and two strategies that both solve it.

The facts are three copies of a graph of forks, each with one marked exit; which exit does the
source reach? The formats differ in the question alone: multiple choice shows the three exits, free
form shows none, and a control shows three labels that stand nowhere in the graph.

Depth first, a chain walks from the source and climbs back from dead ends, ``< p``. Breadth first,
it takes up one exit after the other, ``, o``, walks backward to that copy's root, and goes on to
the next behind ``x`` where the root is not the source. Either works in every format: the marks name
the exits, whether or not the question does. Both strategies are scripts.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, Literal, NamedTuple

from workspan.errors import at_least
from workspan_evidence.families.base import Chain, Verdict, split_answer
from workspan_evidence.families.graph import GraphInstance, check_walk, graph_chain
from workspan_evidence.grammar import (
    ANSWER,
    BACK,
    BOS,
    COMMA,
    EOS,
    FORMATS,
    GO,
    N_LABELS,
    QUERY,
    ROW,
    VOCABULARY,
)

Asked = Literal["choice", "free", "useless"]
"""Options are shown; none are; labels are that tell nothing."""
Taught = Literal["breadth", "depth", "both"]
"""What a training chain does; `both` begins either way with probability 1/2."""

COPIES: Final = 3
EXIT: Final = VOCABULARY.index("ok")
"""Behind a node in its row: an exit."""
REJECT: Final = VOCABULARY.index("x")
"""The option taken up last is not what the source reaches."""


@dataclass(frozen=True, slots=True)
class ExitsInstance(GraphInstance):
    """A problem with its exits; `decoy` is one of those that the source does not reach."""

    shown: tuple[int, ...]
    """The labels in the question."""
    parents: dict[int, int]
    """Of every node but the roots."""


class Strategy(NamedTuple):
    """What a chain did before it committed to an answer, counted from its tokens alone."""

    opened: int
    """Alternatives taken up."""
    backtracks: int
    tokens: int

    @property
    def is_breadth_first(self) -> bool:
        """Whether it took up any alternative rather than walk on from the source."""
        return self.opened > 0


def strategy(ids: tuple[int, ...]) -> Strategy:
    """Count a chain's strategy; no judge, no graph."""
    steps, _ = split_answer(ids)
    return Strategy(steps.count(COMMA), steps.count(BACK), len(steps))


@dataclass(frozen=True, slots=True)
class Exits:
    """Three copies of `d` forks, each with one immediate dead end; chance is 1/3."""

    d: int
    asked: Asked = "choice"
    taught: Taught = "both"

    def __post_init__(self) -> None:
        at_least(1, d=self.d)

    def problem(self, rng: Random) -> ExitsInstance:
        """Draw a problem of 3(2d + 1) nodes; its facts do not depend on the format."""
        labels = list(range(N_LABELS))
        rng.shuffle(labels)
        rows: dict[int, list[int]] = {}
        ends = [self._copy(labels, rows, rng) for _ in range(COPIES)]
        (source, answer), (_, decoy), _ = ends
        order = list(rows)
        rng.shuffle(order)
        exits = [leave for _, leave in ends]
        rng.shuffle(exits)
        facts: list[int] = []
        for node in order:
            facts += (ROW, node, *([EXIT] if node in exits else rows[node]))
        shown = {"choice": exits, "free": [], "useless": labels[:COPIES]}[self.asked]
        return ExitsInstance(
            prompt=(BOS, *facts, QUERY, *shown, FORMATS["steps"], GO, source),
            answer=answer,
            candidates=tuple(exits),
            rows={node: tuple(children) for node, children in rows.items()},
            source=source,
            decoy=decoy,
            format="dfs",
            shown=tuple(shown),
            parents={child: node for node, children in rows.items() for child in children},
        )

    def _copy(self, labels: list[int], rows: dict[int, list[int]], rng: Random) -> tuple[int, int]:
        """Add one copy to the rows; return its root and its exit."""
        root = node = labels.pop()
        for _ in range(self.d):
            dead, onward = labels.pop(), labels.pop()
            rows[node], rows[dead] = [dead, onward], []
            rng.shuffle(rows[node])
            node = onward
        rows[node] = []
        return root, node

    def chain(self, instance: ExitsInstance, rng: Random) -> Chain:
        """Draw a chain of the strategy that is taught."""
        is_breadth = self.taught == "breadth" or (self.taught == "both" and rng.random() < 0.5)
        drawn = _one_by_one(instance, rng) if is_breadth else graph_chain(instance, rng)
        if self.taught != "both":
            return drawn
        children = instance.rows[instance.source]
        first = (*children, *[COMMA] * len(children))  # either strategy as likely as the other
        return Chain(drawn.ids, (first, *drawn.choices[1:]), drawn.unsure)

    def check(self, instance: ExitsInstance, ids: tuple[int, ...]) -> Verdict:
        """Follow a chain of either strategy."""
        if ids[:1] != (COMMA,):
            return check_walk(instance, ids)
        steps, answer = split_answer(ids)
        is_legal, reached = _follow(instance, steps)
        is_correct = answer == instance.answer
        return Verdict(
            answer=answer if answer != QUERY else None,
            correct=is_correct,
            found=is_legal and is_correct and reached == instance.answer,
            legal=is_legal,
            moves=len(steps),
        )


def _one_by_one(instance: ExitsInstance, rng: Random) -> Chain:
    """Take up exits in random order until one leads back to the source."""
    left = list(instance.candidates)
    ids: list[int] = []
    choices: list[tuple[int, ...]] = []
    option = None
    while option != instance.answer:
        if option is not None:
            ids.append(REJECT)
            choices.append((REJECT,))
        option = rng.choice(left)
        back = _way_back(instance, option)
        ids += (COMMA, option, *back)
        choices += ((COMMA,), tuple(left), *((node,) for node in back))
        left.remove(option)
    ending = (ANSWER, instance.answer, EOS)
    return Chain((*ids, *ending), (*choices, *((symbol,) for symbol in ending)), len(ids))


def _way_back(instance: ExitsInstance, node: int) -> list[int]:
    back: list[int] = []
    while node in instance.parents:
        node = instance.parents[node]
        back.append(node)
    return back


def _follow(instance: ExitsInstance, steps: tuple[int, ...]) -> tuple[bool, int | None]:
    """Say whether `steps` are legal attempts, and which exit the last one has led to the source."""
    expected: list[int] = []
    opened: set[int] = set()
    option: int | None = None
    symbols = iter(steps)
    for symbol in symbols:
        if expected:
            if symbol != expected.pop(0):
                return False, None
        elif symbol == COMMA:
            option = next(symbols, None)  # a chain may be cut between "," and its exit
            if option is None:
                return True, None
            if option not in instance.candidates or option in opened:
                return False, None
            opened.add(option)
            expected = _way_back(instance, option)
            if option != instance.answer:
                expected.append(REJECT)
        else:
            return False, None
    return True, None if expected or option != instance.answer else option
