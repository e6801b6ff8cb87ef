"""The islands' round: a generation of conversations, migration in a ring, and reset."""

from __future__ import annotations

from collections.abc import Sequence

from workspan.core.session import Session
from workspan.data.types import Candidate
from workspan.errors import BudgetExceeded, EngineError, first_error
from workspan.search.population import Population
from workspan.strategies.evolutionary.conversation import Conversation
from workspan.strategies.evolutionary.elites import choose


class Islands:
    """Populations in a ring, and the conversations that they breed by."""

    def __init__(self, size: int, conversation: Conversation, session: Session) -> None:
        self.populations = [Population() for _ in range(size)]
        self.conversation, self.session = conversation, session
        self.errors: list[BudgetExceeded | EngineError] = []
        self.born: list[Candidate] = []

    @property
    def everyone(self) -> Population:
        """All that live now, each once."""
        return Population(member for island in self.populations for member in island.members)

    @property
    def is_over(self) -> bool:
        """A candidate passed, or the budget refused one."""
        is_refused = any(isinstance(error, BudgetExceeded) for error in self.errors)
        return is_refused or any(child.score == 1 for child in self.born)

    async def settle(self, drafts: Sequence[Candidate]) -> None:
        """Have drafts judged, and let them live on the islands in turn."""
        talk = self.conversation
        if drafts:
            self.born += await self.session.score(talk.verifier, talk.problem, drafts)
        for place, draft in enumerate(self.born):
            self.populations[place % len(self.populations)].add([draft])

    async def breed(self, talks: Sequence[Sequence[Candidate]], turns: int) -> list[Candidate]:
        """Hold the conversations side by side, turn by turn; each goes on from its last child."""
        before = len(self.born)
        for _ in range(turns):
            said = await self.session.map(self._turn, talks)
            self.born += [child for child in said if child is not None]
            leader = await self.session.leader(self.born, self.conversation.problem.kind)
            if leader.best:
                self.session.best(leader.best)
            if self.is_over:
                break
            pairs = zip(said, talks, strict=True)
            talks = [[child] if child and child.score else talk for child, talk in pairs]
        if not self.born:
            raise first_error(self.errors)
        return self.born[before:]

    async def reset(self, count: int, pool: int, top: int, *, by_model: bool) -> None:
        """Give the `count` islands with the lowest mean score `top` of the best `pool` of all."""
        elites = self.everyone.top(pool)
        order = sorted(range(len(self.populations)), key=lambda i: self.populations[i].mean_score)
        chosen = elites[:top]
        if by_model and len(elites) > top:
            try:
                chosen = await choose(elites, top, self.conversation, self.session)
            except (BudgetExceeded, EngineError) as error:
                self.errors.append(error)
        for place in order[: min(count, len(order) - 1)]:
            self.populations[place] = Population(chosen)

    async def _turn(self, session: Session, parents: Sequence[Candidate]) -> Candidate | None:
        try:
            return await self.conversation.turn(session, parents)
        except (BudgetExceeded, EngineError) as error:
            self.errors.append(error)
            return None
