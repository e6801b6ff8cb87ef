"""Mind Evolution: populations on islands, recombined and refined by an evaluator's feedback."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least, within
from workspan.registry.card import Card
from workspan.search.population import Population, boltzmann
from workspan.strategies.evolutionary.conversation import Conversation
from workspan.strategies.evolutionary.islands import Islands
from workspan.verifiers.judge import Judge


@dataclass(frozen=True)
class MindEvolution:
    """Evolve solutions on islands by critical conversation (Lee et al. 2025, arXiv:2501.09891)."""

    # Defaults of its Table 1, at most 800 candidates.
    verifier: Verifier = field(default_factory=Judge)
    generations: int = 10  # N_gens
    islands: int = 4  # N_island
    conversations: int = 5  # N_convs, on each island in each generation
    turns: int = 4  # N_seq
    reset_interval: int = 3  # N_reset_interval, in generations
    resets: int = 2  # N_reset, islands
    top: int = 5  # N_top, onto each island that is reset
    pool: int = 15  # N_candidate
    parents: int = 5  # N_parent, at most
    fresh: float = 1 / 6  # Pr_no_parents
    emigrants: int = 5  # N_emigrate
    retries: int = 5  # N_retries, of a turn whose solution can't be read
    critic: bool = True
    feedback: bool = True
    questions: str = ""  # the task's own strategy and question prompts
    model_reset: bool = True
    selection: float = 0.2  # temperature of the softmax over scores in [0, 1]; not given there
    max_tokens: int = 1024
    temperature: float = 1.0
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example=(
            "mind_evolution(generations=3, islands=2, conversations=2, turns=2, reset_interval=2, "
            "resets=1, retries=2, pool=4, top=2, max_tokens=40)"
        ),
        source="arXiv:2501.09891",
        family="evolutionary",
        parameters={
            "generations": "Rounds over all islands, at most.",
            "islands": "Populations.",
            "conversations": "On each island in each generation.",
            "turns": "Of each conversation.",
            "reset_interval": "Generations between two resets.",
            "resets": "Islands that are reset.",
            "top": "Of the best, onto each island that is reset.",
            "pool": "Of the best, among whom these are chosen.",
            "parents": "Of a conversation, at most.",
            "fresh": "Probability of a conversation without parents.",
            "emigrants": "Onto the next island in each generation.",
            "retries": "Calls of a turn whose solution can't be read, at most.",
            "critic": "The author hears a critic first.",
            "feedback": "Parents are shown with what the evaluator says.",
            "questions": "The task's own strategy and question prompts.",
            "model_reset": "The model chooses who lives on a reset island.",
            "selection": "Temperature of the softmax by which parents are drawn.",
        },
        calls=(
            "generations * islands * conversations * turns * retries * (1 + verifier.calls) + "
            "(generations // reset_interval if model_reset else 0)"
        ),
        work=(
            "generations * islands * conversations * turns * retries * (max_tokens + "
            "verifier.work) + (generations // reset_interval if model_reset else 0) * max_tokens"
        ),
        span=(
            "generations * islands * turns * retries * (max_tokens + verifier.span) + "
            "(generations // reset_interval if model_reset else 0) * max_tokens"
        ),
        is_most=True,
        helps=(
            "Plans and schedules with a program that says what is wrong, hard to write down and "
            "easy to check."
        ),
        hurts="A model as judge: it evolves what pleases it.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        whole = {item.name: getattr(self, item.name) for item in fields(self) if item.type == "int"}
        at_least(0, resets=whole.pop("resets"), emigrants=whole.pop("emigrants"))
        at_least(1, **whole)
        within(0.001, 1000, selection=self.selection)
        within(0, 1, fresh=self.fresh)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Evolve island after island, generation after generation, until one passes."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        style = (self.retries, self.critic, self.feedback, self.questions)
        talk = Conversation(problem, self.verifier, request, *style)
        islands, width = map(session.branches, (self.islands, self.conversations))
        world = Islands(islands, talk, session)
        await world.settle(session.drafts)
        for place in range(self.generations * islands):
            if world.is_over:
                break
            generation, i = divmod(place, islands)
            if i == 0 and (generation + 1) % self.reset_interval == 0:
                await world.reset(self.resets, self.pool, self.top, by_model=self.model_reset)
            island = world.populations[i]
            talks = [self._parents(island, session) for _ in range(width)]
            island.add(await world.breed(talks, self.turns))
            world.populations[(i + 1) % islands].add(island.top(self.emigrants))
        leader = await session.leader(world.born, problem.kind)
        return leader if leader.best else await session.vote(world.born, problem.kind)

    def _parents(self, island: Population, session: Session) -> list[Candidate]:
        """Draw a conversation's parents; none with probability `fresh` or where nobody lives."""
        rng = session.rng
        if not island.members or rng.random() < self.fresh:
            return []
        return boltzmann(island.members, rng.randint(1, self.parents), self.selection, rng)
