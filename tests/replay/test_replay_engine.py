"""Recorded chains under strategies: what is charged, given and refused."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.app.replaying import read_recorded
from workspan.core.engine import Bill
from workspan.data.budget import Budget
from workspan.data.types import Answer, Message, Problem, Request, Sample
from workspan.errors import DataError, EngineRejected, InputError
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.parquet import read_chains
from workspan.recordings.recording import Chain, Recording
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.engine_suite import REQUEST, check_engine

PROBLEM = Problem("p", (Message("user", "What is 2 + 2?"),))
SHORT = Chain((500, 700), ("5", "4"))
LONG = Chain((500, 1000, 1300), (None, "7", "4"))
OPEN = Chain((500, 900), ("4", None))


def recording(*chains: Chain) -> Recording:
    return Recording("some model", (PROBLEM,), {"p": chains}, {"p": "4"})


def solve(text: str, *chains: Chain, budget: str | None = None, seed: int = 0) -> Result:
    limits = Budget.parse(budget) if budget else None
    engine = ReplayEngine(recording(*chains))
    return anyio.run(lambda: run(parse_strategy(text), PROBLEM, engine, budget=limits, seed=seed))


def draw(engine: ReplayEngine, request: Request) -> tuple[str, str, Bill]:
    """Draw one completion; return its text, how it ended and its bill."""
    bill = Bill()

    async def main() -> tuple[str, str, Bill]:
        chunks = [chunk async for chunk in engine.stream(request, bill)]
        return "".join(chunk.text for chunk in chunks), chunks[-1].finish or "", bill

    return anyio.run(main)


def test_it_says_that_it_is_a_recording_and_whose() -> None:
    info = ReplayEngine(recording(SHORT)).info
    assert (info.name, info.model) == ("replay", "recorded chains of some model")


def test_a_whole_chain_is_charged_as_it_was_decoded() -> None:
    result = solve("single(max_tokens=5000)", LONG)
    assert (result.answer.text, result.work, result.usage.calls) == ("4", 1300, 1)
    assert result.usage.source == "estimated"  # the prompt's tokens are not known


@pytest.mark.parametrize("limit", ["699 work", "699 span"])
def test_a_cut_chain_has_no_answer_and_is_charged_to_the_cut(limit: str) -> None:
    result = solve("single(max_tokens=5000)", SHORT, budget=limit)
    assert (result.answer.best, result.work) == (None, 699)
    assert solve("single(max_tokens=5000)", SHORT, budget="700 work").answer.text == "4"


def test_the_requests_own_cap_ends_with_length() -> None:
    text, finish, bill = draw(ReplayEngine(recording(SHORT)), Request(PROBLEM.prompt, "", 300))
    assert (finish, bill.usage.output_tokens) == ("length", 300)
    assert "Answer" not in text


def test_a_chain_that_ended_without_an_answer_was_cut_where_it_was_recorded() -> None:
    _, finish, bill = draw(ReplayEngine(recording(OPEN)), Request(PROBLEM.prompt, "", 9000))
    assert (finish, bill.usage.output_tokens) == ("length", 900)


def test_samples_are_without_replacement_until_all_were_given() -> None:
    chains = [Chain((100 + i,), ("4",)) for i in range(6)]
    for seed in range(5):
        result = solve("self_consistency(n=6, max_tokens=500)", *chains, seed=seed)
        assert result.work == sum(range(100, 106))
    assert solve("self_consistency(n=7, max_tokens=500)", *chains).usage.calls == 7


def test_the_seed_chooses_the_chains() -> None:
    chains = [Chain((100 + i,), ("4",)) for i in range(50)]
    drawn = {solve("single", *chains, seed=seed).work for seed in range(20)}
    assert len(drawn) > 10
    assert solve("single", *chains, seed=3).work == solve("single", *chains, seed=3).work


@settings(deadline=None, max_examples=30)
@given(cuts=st.lists(st.integers(1, 900), max_size=8), number=st.integers(0, 1))
def test_a_chain_continued_in_pieces_is_the_chain(cuts: list[int], number: int) -> None:
    chain = (SHORT, LONG)[number]
    engine, text, decoded, finish = ReplayEngine(recording(chain)), "", 0, ""
    for cut in (*cuts, 5000):
        more, finish, bill = draw(engine, Request(PROBLEM.prompt, text, cut))
        text, decoded = text + more, decoded + bill.usage.output_tokens
        assert bill.usage.output_tokens <= cut
        if finish == "stop":
            break
    assert (decoded, finish) == (chain.tokens, "stop")
    assert text.endswith("]\nAnswer: 4")


def test_asked_on_the_way_a_chain_gives_its_last_interim_answer() -> None:
    engine = ReplayEngine(recording(LONG))
    text, _, _ = draw(engine, Request(PROBLEM.prompt, "", 499))
    said, finish, bill = draw(engine, Request(PROBLEM.prompt, text + "\nAnswer:", 24))
    assert (said, finish, bill.usage.output_tokens) == ("", "stop", 1)
    text += draw(engine, Request(PROBLEM.prompt, text, 700))[0]
    said, finish, bill = draw(engine, Request(PROBLEM.prompt, text + "\nAnswer:", 24))
    assert (said, finish, bill.usage.output_tokens) == ("7", "stop", 2)
    assert bill.usage.source == "estimated"


def test_budget_forcing_reads_the_answer_off_the_depth_that_it_reached() -> None:
    assert solve("budget_forcing(thinking=600, waits=0)", SHORT).answer.text == "5"
    assert solve("budget_forcing(thinking=900, waits=0)", SHORT).answer.text == "4"


def test_parallel_probe_runs_on_recorded_chains() -> None:
    result = solve("parallel_probe(n=3, stable=9)", SHORT, SHORT, LONG)
    assert result.answer.text == "4"
    assert result.work == 700 + 700 + 1300 + 2  # "7" is asked at 1000: a byte, and the end


def test_the_shorter_chain_ends_first() -> None:
    chains = [Chain((tokens,), (str(tokens),)) for tokens in (9000, 600, 3000)]
    order: list[str] = []

    class Watch:
        requires = frozenset[str]()

        async def __call__(self, problem: Problem, session: object) -> Answer:
            request = Request(problem.prompt, max_tokens=10_000)
            async with session.as_completed([request] * 3) as race:  # type: ignore[attr-defined]
                samples: list[Sample] = [sample async for sample in race]
            order.extend(sample.text.rpartition(" ")[2] for sample in samples)
            return Answer(None)

    anyio.run(lambda: run(Watch(), PROBLEM, ReplayEngine(recording(*chains))))  # type: ignore[arg-type]
    assert order == ["600", "3000", "9000"]


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (Request((Message("user", "Is 4 right?"),)), "no chain was recorded for the prompt"),
        (Request(PROBLEM.prompt, stop=("\n\n",)), "nothing to stop at"),
        (Request(PROBLEM.prompt, "I think"), "of no recorded chain"),
        (Request(PROBLEM.prompt, "[n@lkk]"), "of no recorded chain"),
        (Request(PROBLEM.prompt, "[k@lkk]\nWait"), "goes on after"),
    ],
)
def test_what_the_recording_does_not_hold_is_refused(request_: Request, why: str) -> None:
    with pytest.raises(EngineRejected, match=why):
        draw(ReplayEngine(recording(SHORT)), request_)


def test_it_keeps_the_contract_of_engines() -> None:
    problem = Problem("p", REQUEST.prompt)
    chains = (Chain((5, 30, 2000), ("1", "2", "3")), Chain((3,), ("4",)))
    anyio.run(check_engine, ReplayEngine(Recording("m", (problem,), {"p": chains}, {})))


def write(path: Path, **columns: list[object]) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    whole: dict[str, list[object]] = {
        "problem_id": ["b", "a", "a"],
        "task": ["t", "t", "u"],
        "model": ["m", "m", "m"],
        "chain": [0, 1, 0],
        "gold": ["2", "1", "1"],
        "steps": [
            [{"answer": "2", "tokens": 10}],
            [{"answer": "ERR", "tokens": 5}, {"answer": "1", "tokens": 7}],
            [{"answer": "3", "tokens": 9}],
        ],
    }
    parquet.write_table(pyarrow.table({**whole, **columns}), path)
    return path


def test_chains_are_read_in_their_order_with_their_probes(tmp_path: Path) -> None:
    read = read_chains(write(tmp_path / "chains.parquet"), prompts={"a": "1?"}, kind="number")
    assert read.model == "m"
    assert read.chains["a"] == (Chain((9,), ("3",)), Chain((5, 7), (None, "1")))
    assert read.references == {"a": "1", "b": "2"}
    assert [p.prompt[0].text for p in read.problems] == ["1?", "b"]
    assert {p.kind for p in read.problems} == {"number"}


def test_questions_come_from_a_file_of_problems(tmp_path: Path) -> None:
    recorded, problems = write(tmp_path / "chains.parquet"), tmp_path / "problems.jsonl"
    problems.write_text('{"id": "a", "prompt": "1?", "answer": "1"}\n')
    (read,), _ = anyio.run(read_recorded, recorded, [], [], problems, "number")
    assert [p.prompt[0].text for p in read.problems] == ["1?", "b"]
    problems.write_text('{"id": "c", "prompt": "1?", "answer": "1"}\n')
    with pytest.raises(InputError, match=r"its ids are others, such as c, where .* has a"):
        anyio.run(read_recorded, recorded, [], [], problems, "number")


def test_a_task_is_chosen(tmp_path: Path) -> None:
    read = read_chains(write(tmp_path / "chains.parquet"), "m", ["t"])
    assert {name: len(chains) for name, chains in read.chains.items()} == {"a": 1, "b": 1}


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "chains.parquet"
    with pytest.raises(DataError, match="unknown model 'n'"):
        read_chains(write(path), "n")
    with pytest.raises(DataError, match="say whose chains: known: l, m"):
        read_chains(write(path, model=["m", "l", "m"]))
    with pytest.raises(DataError, match="unknown task 'x'"):
        read_chains(write(path), "m", ["x"])
    with pytest.raises(DataError, match="neither the tokens nor the characters"):
        read_chains(write(path, steps=[[{"answer": "2", "tokens": None}]] * 3))
    with pytest.raises(DataError, match="neither the tokens nor the characters"):
        read_chains(write(path, steps=[None, [{"answer": "2", "tokens": 1}], []]))
    path.write_text("no table")
    with pytest.raises(DataError, match="not a sound Parquet file"):
        read_chains(path)
    with pytest.raises(
        DataError, match=r"none\.parquet: can't be read: No such file or directory$"
    ):
        read_chains(tmp_path / "none.parquet")
