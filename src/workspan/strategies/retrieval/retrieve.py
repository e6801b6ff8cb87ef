"""Retrieval: think, search, read what was found, and answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Message, Problem, Prompt, Request, Sample
from workspan.errors import BudgetExceeded, ContextExceeded, at_least
from workspan.registry.card import Card
from workspan.retrieval.tool import found, wanted
from workspan.strategies.retrieval.queries import instead, plan
from workspan.strategies.retrieval.reading_room import ReadingRoom
from workspan.strategies.retrieval.tags import STOP, read_attempt, read_turn
from workspan.strategies.retrieval.told import CORRECTION, opening, with_last


@dataclass(frozen=True)
class Retrieve:
    """Search a corpus while thinking: one query a round, up to k, or those that need no other.

    The loop of RAG-R1 (Tan et al. 2025, arXiv:2507.02962), with its values; "sequential" and
    "parallel" are its modes. "dependency" keeps back queries that need an earlier answer (after
    HybridDeepSearcher, arXiv:2508.19113, which trains a model for it). Here information is a turn,
    not a prefix, so that any engine will do; near the end the answer is asked for, there it is not.
    """

    mode: Literal["sequential", "parallel", "dependency"] = "dependency"
    k: int = 3
    rounds: int = 5
    top: int = 3
    max_tokens: int = 1024
    answer_tokens: int = 64
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="retrieve(rounds=2, max_tokens=200)",
        source="arXiv:2507.02962",
        family="retrieval",
        parameters={
            "mode": "One query a round, several, or those that need no other.",
            "k": "Queries of a round, at most.",
            "rounds": "Of searching, at most.",
            "top": "Passages of a query.",
        },
        calls="rounds + 1",
        work="(rounds + 1) * max_tokens",
        span="(rounds + 1) * max_tokens",
        is_most=True,
        helps="Questions about your own files, several facts apart.",
        hurts="Questions that need no looking up: every round reads the passages again.",
    )
    tools: ClassVar[frozenset[str]] = frozenset({"search"})

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, k=self.k, rounds=self.rounds, top=self.top)
        at_least(1, max_tokens=self.max_tokens, answer_tokens=self.answer_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Search until the model answers; for one turn that does neither, by the question."""
        room, texts, attempts = ReadingRoom(), list[str](), list[Candidate]()
        prompt, left = opening(problem.prompt, self.mode, self.k, self.rounds), self.rounds
        try:
            while True:
                sample, is_last = await self._draw(prompt, session, left)
                turn, reply = read_turn(sample.text, finished=sample.finish == "stop"), ""
                texts.append(turn.text)
                queries = plan(turn.inside if turn.tag == "search" else "", self.mode, self.k)
                if is_last or not queries.ready:
                    attempt, is_marked = read_attempt(problem, sample, turn)
                    attempts.append(replace(attempt, sources=room.cited(texts, attempt.answer)))
                    if is_marked or is_last or len(attempts) > 1:
                        break
                    queries, reply = instead(problem, queries), f"{CORRECTION}\n"
                value = await session.use("search", wanted(queries.ready, self.top))
                left -= 1
                reply += room.show(found(value), queries.kept_back)
                prompt = (*prompt, Message("assistant", turn.text or "…"), Message("user", reply))
        except (BudgetExceeded, ContextExceeded):
            if not texts:
                raise
        answered = (attempt for attempt in reversed(attempts) if attempt.answer is not None)
        return Answer(next(answered, None), tuple(attempts))

    async def _draw(self, prompt: Prompt, session: Session, left: int) -> tuple[Sample, bool]:
        """Draw a turn, and say whether it is the last: a search leaves room for an answer."""
        room = session.room()
        spare = self.max_tokens if room is None else room - self.answer_tokens
        is_last = left == 0 or spare < self.answer_tokens
        cap = self.max_tokens if is_last else min(self.max_tokens, spare)
        asked = with_last(prompt) if is_last else prompt
        request = Request(asked, "", cap, temperature=self.temperature, stop=STOP)
        return await session.sample(request), is_last
