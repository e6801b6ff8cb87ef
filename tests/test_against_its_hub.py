"""A second opinion: from the same texts its-hub 1.2.0 (Apache-2.0) chooses the same answers.

Its real algorithms run here on what `RecordedEngine` gives ours, with our extraction as their
projection. Where the two must differ, a test shows that they do so for the reason given and for no
other: its-hub lets "no answer" win, breaks ties at random, and counts "4" and "4.0" apart.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import anyio
import its_hub
import pytest
from hypothesis import given
from hypothesis import strategies as st
from its_hub.core.orchestrator import LMOrchestrator

from workspan.answers import equivalent, extract
from workspan.core.engine import Capability
from workspan.core.session import Score, Session, Strategy
from workspan.data.types import Answer, AnswerKind, Candidate, Problem
from workspan.runner import run
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.testing.scripted import RecordedEngine

RECORDINGS = Path(__file__).parents[2] / "shared" / "data" / "recordings"
PROBLEMS = 250
"""Of each set, those first on which the samples disagree."""

Case = Literal["same", "tie", "no answer leads"]
Projection = Callable[[str], str | None]


class Texts(its_hub.AbstractLanguageModel):  # type: ignore[misc]  # its-hub has no types
    """A language model of its-hub that gives recorded texts in turn."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = iter(texts)

    async def agenerate_single(
        self, messages: Any, stop: str | None = None, **kwargs: Any
    ) -> dict[str, str]:
        return {"role": "assistant", "content": next(self._texts)}

    async def agenerate(self, messages: Any, stop: str | None = None, **kwargs: Any) -> Any:
        return [await self.agenerate_single(conversation) for conversation in messages]


def taste(text: str) -> float:
    """Score a text from 0 to 1 in steps of a tenth: coarse, so that equal scores are common."""
    return hashlib.blake2b(text.encode()).digest()[0] % 11 / 10


class TheirTaste(its_hub.AbstractOutcomeRewardModel):  # type: ignore[misc]  # its-hub has no types
    def score(self, messages: Any, **kwargs: Any) -> list[float]:
        return [taste(conversation[-1].content) for conversation in messages]

    async def ascore(self, messages: Any, orchestrator: Any = None, **kwargs: Any) -> list[float]:
        return self.score(messages)


@dataclass(frozen=True)
class OurTaste:
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        return Score(taste(candidate.text))


async def ours(strategy: Strategy, texts: Sequence[str], kind: AnswerKind) -> Answer:
    engine = RecordedEngine(chains={"?": [(text, 1) for text in texts]})
    return (await run(strategy, Problem.ask("?", kind=kind), engine)).answer


async def theirs(algorithm: Any, texts: Sequence[str]) -> Any:
    return await algorithm.ainfer(Texts(texts), "?", len(texts), return_response_only=False)


def their_vote(projection: Projection) -> Any:
    return its_hub.SelfConsistency(projection, orchestrator=LMOrchestrator(max_concurrency=-1))


def their_best() -> Any:
    return its_hub.BestOfN(TheirTaste(), orchestrator=LMOrchestrator(max_concurrency=-1))


def one_spelling(kind: AnswerKind) -> Projection:
    """Extract as we do; of equivalent answers, write the one that was met first."""
    met: list[str] = []

    def projection(text: str) -> str | None:
        answer = extract(text, kind)
        if answer is None:
            return None
        for known in met:
            if equivalent(answer, known, kind):
                return known
        met.append(answer)
        return answer

    return projection


async def compare_votes(texts: Sequence[str], kind: AnswerKind) -> Case:
    """Hold our vote against theirs: every count, the winner, and why it may differ."""
    mine = await ours(SelfConsistency(n=len(texts)), texts, kind)
    assert [candidate.text for candidate in mine.candidates] == list(texts)
    read = one_spelling(kind)
    vote = await theirs(their_vote(read), texts)
    counts = dict(vote.response_counts)
    assert {tally.answer: tally.weight for tally in mine.votes} == {
        answer: count for answer, count in counts.items() if answer is not None
    }
    leaders = [answer for answer in counts if counts[answer] == max(counts.values())]
    chosen = read(vote.the_one["content"])
    assert chosen in leaders
    if None in leaders:
        await _check_that_only_no_answer_differs(texts, kind, mine, vote.response_counts)
        return "no answer leads"
    assert mine.text == leaders[0]  # a Counter keeps the order of first appearance
    assert mine.tied == (len(leaders) > 1)
    if len(leaders) > 1:
        return "tie"
    assert mine.text == chosen
    return "same"


async def _check_that_only_no_answer_differs(
    texts: Sequence[str], kind: AnswerKind, mine: Answer, counts: Counter[str | None]
) -> None:
    """Without the samples that hold no answer both choose as before, and the same."""
    answered = [text for text in texts if extract(text, kind) is not None]
    if not answered:
        assert mine.best is None
        return
    assert counts[None] >= max(tally.weight for tally in mine.votes)
    assert await compare_votes(answered, kind) != "no answer leads"
    assert (await ours(SelfConsistency(n=len(answered)), answered, kind)).text == mine.text


async def compare_best(texts: Sequence[str], kind: AnswerKind) -> Case:
    """Hold our best of n against theirs: the very text, and why it may differ."""
    mine = await ours(BestOfN(n=len(texts), verifier=OurTaste()), texts, kind)
    best = await theirs(their_best(), texts)
    chosen = best.the_one["content"]
    if extract(chosen, kind) is None:
        answered = [text for text in texts if extract(text, kind) is not None]
        if not answered:
            assert mine.best is None
            return "no answer leads"
        assert max(map(taste, texts)) >= max(map(taste, answered))
        chosen = (await theirs(their_best(), answered)).the_one["content"]
        assert mine.best is not None
        assert mine.best.text == chosen
        return "no answer leads"
    assert mine.best is not None
    assert mine.best.text == chosen  # of equal scores both take the first
    return "same"


SPELLINGS: dict[AnswerKind, tuple[str, ...]] = {
    "number": ("", "no idea", "Answer: 4", "so 4.0", "it is \\boxed{5}", "Answer: -4", "1/2"),
    "choice": ("", "Hm.", "Answer: (B)", "answer: b", "The answer is C.", "I think\nD"),
    "text": ("", " \n", "Answer: New York", "answer: new york.", "Rome", "It was\n**Rome**"),
}


@st.composite
def drawn(draw: st.DrawFn) -> tuple[list[str], AnswerKind]:
    kind = draw(st.sampled_from(sorted(SPELLINGS)))
    said = st.sampled_from(SPELLINGS[kind])
    before = st.sampled_from(["", "One way.\n", "Another way.\n"])
    texts = st.builds(lambda thought, end: end and thought + end, before, said)
    return draw(st.lists(texts, min_size=1, max_size=12)), kind


@given(drawn())
def test_self_consistency_counts_and_chooses_like_its_hub(
    sample: tuple[list[str], AnswerKind],
) -> None:
    anyio.run(compare_votes, *sample)


@given(drawn())
def test_best_of_n_chooses_like_its_hub(sample: tuple[list[str], AnswerKind]) -> None:
    anyio.run(compare_best, *sample)


def test_its_no_answer_wins_where_ours_does_not() -> None:
    texts = ["no idea", "hm", "Answer: 4"]
    vote = anyio.run(theirs, their_vote(partial(extract, kind="number")), texts)
    assert vote.the_one["content"] in {"no idea", "hm"}
    assert anyio.run(ours, SelfConsistency(n=3), texts, "number").text == "4"


def test_its_best_text_may_hold_no_answer_where_ours_does() -> None:
    silent = max("abcdefgh", key=taste)
    texts = ["Answer: 4", silent]
    assert taste(silent) > taste("Answer: 4")
    assert anyio.run(theirs, their_best(), texts).the_one["content"] == silent
    assert anyio.run(ours, BestOfN(n=2, verifier=OurTaste()), texts, "number").text == "4"


def test_it_breaks_ties_at_random_and_we_by_draw_order() -> None:
    texts = ["Answer: 4", "Answer: 5"]
    vote = their_vote(partial(extract, kind="number"))
    chosen = {anyio.run(theirs, vote, texts).the_one["content"] for _ in range(64)}
    assert chosen == set(texts)
    answers = [anyio.run(ours, SelfConsistency(n=2), texts, "number") for _ in range(8)]
    assert {(answer.text, answer.tied) for answer in answers} == {("4", True)}


def test_it_counts_spellings_apart_and_we_together() -> None:
    texts = ["Answer: 5", "Answer: 4", "Answer: 4.0", "Answer: 5", "so 4.00"]
    vote = anyio.run(theirs, their_vote(partial(extract, kind="number")), texts)
    assert vote.response_counts == {"5": 2, "4": 1, "4.0": 1, "4.00": 1}
    assert anyio.run(ours, SelfConsistency(n=5), texts, "number").text == "4"


SETS: list[tuple[str, str, AnswerKind]] = [
    ("esc_last_letters_gpt35", "last_letters_4", "text"),
    ("mot_cascade", "mot_date", "text"),
    ("mot_cascade", "mot_gsm", "number"),
    ("epoch_otis_mock_aime", "otis_mock_aime", "number"),
    ("epoch_gpqa_diamond", "gpqa_diamond", "choice"),
]


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize(("file", "task", "kind"), SETS, ids=lambda value: str(value))
def test_both_choose_the_same_from_recorded_samples_of_real_models(
    file: str, task: str, kind: AnswerKind
) -> None:
    groups = list(recorded(RECORDINGS / f"{file}.parquet", task))

    async def compare_all() -> tuple[Counter[Case], Counter[Case]]:
        votes = Counter([await compare_votes(texts, kind) for texts in groups])
        return votes, Counter([await compare_best(texts, kind) for texts in groups])

    votes, best = anyio.run(compare_all)
    assert votes.total() == best.total() == PROBLEMS
    assert votes["same"] > PROBLEMS / 2  # of those that are in dispute; few are left out
    assert best["same"] > PROBLEMS / 2


def recorded(path: Path, task: str) -> Iterator[list[str]]:
    """Yield the samples of problems on which they disagree, as texts that state the answers."""
    parquet = pytest.importorskip("pyarrow.parquet")
    if not path.exists():
        pytest.skip("the recorded samples are not on this machine: shared/data beside the project")
    rows = parquet.read_table(path, filters=[("task", "=", task), ("n", ">=", 8)]).to_pylist()
    found = 0
    for row in rows:
        answers = [sample["answer"] for sample in row["samples"]]
        if len(set(answers)) > 1 and found < PROBLEMS:
            found += 1
            yield [
                "" if answer is None else f"Chain {i}.\nAnswer: {answer}"
                for i, answer in enumerate(answers)
            ]
