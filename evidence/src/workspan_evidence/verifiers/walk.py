"""Walk: checks a chain of the reasoner's against the graph in its prompt, and says if it proves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import InputError, VerifierError
from workspan.registry.card import Card
from workspan_evidence.families.graph import GraphInstance, check_walk
from workspan_evidence.grammar import BOS, GO, QUERY, ROW, encode


@dataclass(frozen=True)
class Walk:
    """Pass a chain that goes by the graph's links from the source to the answer it gives.

    That is the evidence of "Let Me Think!" (Mirtaheri et al. 2025, arXiv:2505.21825): a right guess
    is no pass. For tasks such as ``deep(d=6)``, in the grammar; the reference is not needed.
    """

    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="walk",
        source="arXiv:2505.21825",
        calls="0",
        work="0",
        span="0",
        needs="a problem in the reasoner's grammar, such as of deep",
        helps="Searches in graphs: a right guess is no pass.",
        hurts="Nothing else: other problems have no verdict.",
    )

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:  # noqa: ARG002
        """Follow the candidate's whole text; costs no call.

        Raises:
            VerifierError: the problem's prompt holds no graph.
        """
        graph = _graph(problem)
        if candidate.answer is None:
            return Score(0.0, "no answer")
        try:
            ids, (answer, *_) = encode(candidate.text), encode(candidate.answer)
        except InputError as error:
            return Score(0.0, str(error))
        if answer not in graph.candidates:
            return Score(0.0, f"{candidate.answer} is neither of the two")
        claimed = GraphInstance(
            graph.prompt, answer, graph.candidates, graph.rows, graph.source, answer, "dfs"
        )
        if check_walk(claimed, ids).found:
            return Score(1.0, "every step is a link, and the last one reaches the answer")
        return Score(0.0, "the steps do not lead to the answer")


def _graph(problem: Problem) -> GraphInstance:
    """Read the graph in a prompt back; which of its candidates is right it does not say."""
    try:
        ids = encode(problem.prompt[-1].text)
        at, go = ids.index(QUERY), ids.index(GO)
        first, second = ids[at + 1 : go - 1]
        places = [*(i for i, symbol in enumerate(ids[:at]) if symbol == ROW), at]
        rows = {ids[i + 1]: ids[i + 2 : j] for i, j in pairwise(places)}
        nodes = {ids[-1]}.union(*rows.values())
    except (InputError, ValueError, IndexError) as error:
        raise VerifierError(f"{problem.id} is no graph of the reasoner's: {error}") from None
    if ids[0] != BOS or len(ids) != go + 2 or not nodes <= rows.keys():
        raise VerifierError(f"{problem.id} is no graph of the reasoner's")
    return GraphInstance(ids, first, (first, second), rows, ids[-1], second, "dfs")
