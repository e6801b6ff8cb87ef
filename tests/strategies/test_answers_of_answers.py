"""Strategies that show a model its own or others' candidates, worked by hand."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import pytest

from workspan.core.engine import Engine
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.types import AnswerKind, Problem, Request, Usage
from workspan.errors import EngineRejected, SpecError
from workspan.runner import Result, run
from workspan.spec import parse_strategy, write
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

REFUSED = EngineRejected("bad request")


def solve(
    strategy: str,
    engine: Engine,
    engines: Mapping[str, Engine] | None = None,
    *,
    budget: str | None = None,
    kind: AnswerKind = "number",
    journal: Journal | None = None,
) -> Result:
    problem = Problem.ask("What is 2 + 2?", kind=kind)
    limits = Budget.parse(budget) if budget else None

    async def main() -> Result:
        return await run(
            parse_strategy(strategy),
            problem,
            engine,
            budget=limits,
            engines=engines,
            journal=journal,
        )

    return anyio.run(main)


def said(engine: ScriptedEngine) -> list[str]:
    """Return the last turns that an engine was asked."""
    return [request.prompt[-1].text for request in engine.requests]


# Mixture of agents


def test_the_aggregators_engine_reads_what_the_proposers_engines_wrote() -> None:
    own = ScriptedEngine(["Answer: 9"])
    a, b = ScriptedEngine(["a: Answer: 3"]), ScriptedEngine(["b: Answer: 5"])
    result = solve("mixture_of_agents(engines=('a', 'b'), n=3, layers=3)", own, {"a": a, "b": b})
    assert (len(a.requests), len(b.requests), len(own.requests)) == (4, 2, 1)
    first, second = said(a)[0], said(a)[-1]
    assert first == "What is 2 + 2?"
    for prompt in (second, said(own)[0]):
        assert prompt.startswith("What is 2 + 2?\n\n--- Response 1 ---\na: Answer: 3\n")
        assert "--- Response 2 ---\nb: Answer: 5\n" in prompt
        assert "--- Response 4 ---" not in prompt
    assert result.answer.text == "9"
    assert [(vote.answer, vote.weight) for vote in result.answer.votes] == [("3", 2), ("5", 1)]
    assert result.usage == own.billed + a.billed + b.billed
    assert (result.work, result.span) == (4 * 3 + 2 * 3 + 2, 3 + 3 + 2)


def test_two_engines_are_on_one_account_and_one_journal() -> None:
    strategy = "mixture_of_agents(engines=('', 'b'), engine='b', n=2, layers=2)"
    recorded = Journal()
    own, b = ScriptedEngine(["Answer: 4"]), ScriptedEngine(["it is Answer: 5"])
    whole = solve(strategy, own, {"b": b}, budget="20 work", journal=recorded)
    assert whole.usage == own.billed + b.billed
    assert (own.billed.work, b.billed.work, whole.work) == (2, 8, 10)
    for length in range(len(recorded.entries)):
        own, b = ScriptedEngine(["Answer: 4"]), ScriptedEngine(["it is Answer: 5"])
        before = Journal(recorded.entries[:length])
        known = before.usage()
        resumed = solve(strategy, own, {"b": b}, budget="20 work", journal=before)
        assert resumed.usage == known + own.billed + b.billed == whole.usage
        assert resumed.answer == whole.answer
    own, b = ScriptedEngine([]), ScriptedEngine([])
    again = solve(strategy, own, {"b": b}, budget="20 work", journal=Journal(recorded.entries))
    assert again.answer == whole.answer
    assert own.billed == b.billed == Usage()


def test_one_failing_proposer_is_left_out() -> None:
    engine = FaultyEngine(["one Answer: 4", "Answer: 5", "Answer: 6"], faults={0: (0, REFUSED)})
    result = solve("mixture_of_agents(n=2, layers=2)", engine)
    assert result.failures == 1
    assert "--- Response 1 ---\nAnswer: 5" in said(engine)[-1]
    assert "Response 2" not in said(engine)[-1]
    assert result.answer.text == "6"


def test_an_aggregator_without_an_answer_leaves_the_vote_of_the_proposals() -> None:
    engine = ScriptedEngine(["Answer: 5", "Answer: 4", "Answer: 4", "no idea"])
    assert solve("mixture_of_agents(n=3, layers=2)", engine).answer.text == "4"


def test_a_budget_that_ends_before_the_aggregator_leaves_the_vote_as_well() -> None:
    engine = ScriptedEngine(["Answer: 5", "Answer: 4", "Answer: 4"])
    result = solve("mixture_of_agents(n=3, layers=2)", engine, budget="3 calls")
    assert (result.answer.text, result.stop) == ("4", "calls")


def test_an_engine_that_the_run_does_not_have_is_refused_before_any_spend() -> None:
    own = ScriptedEngine(["Answer: 4"])
    with pytest.raises(SpecError, match="did you mean 'strong'"):
        solve("debate(engines=('', 'stronk'))", own, {"strong": own})
    assert own.billed == Usage()


# Recursive self-aggregation


def test_rsa_rewrites_each_member_from_k_others_and_lets_the_last_vote() -> None:
    first = ["one Answer: 1", "two Answer: 2", "three Answer: 3", "four Answer: 4"]
    engine = ScriptedEngine([*first, "Answer: 7", "Answer: 8", "Answer: 8", "Answer: 9"])
    result = solve("rsa(n=4, k=2, steps=2)", engine)
    assert (result.answer.text, len(engine.requests)) == ("8", 8)
    for prompt in said(engine)[4:]:
        assert sum(text in prompt for text in first) == 2
        assert "--- Solution 2 ---" in prompt
    assert len(result.answer.candidates) == 4


def test_rsa_with_k_1_refines_single_members() -> None:
    engine = ScriptedEngine(["one Answer: 1", "Answer: 4"])
    assert solve("rsa(n=1, k=1, steps=2)", engine).answer.text == "4"
    assert "improved solution" in said(engine)[1]


def test_a_member_whose_rewrite_fails_stays() -> None:
    engine = FaultyEngine(["Answer: 4", "Answer: 5"], faults={2: (0, REFUSED)})
    result = solve("rsa(n=2, k=1, steps=2)", engine)
    assert [c.answer for c in result.answer.candidates] == ["4", "5"]


def test_a_member_whose_rewrite_the_budget_cuts_stays() -> None:
    engine = ScriptedEngine(["Answer: 4", "Answer: 5", "so so so so Answer: 6", "so so Answer: 6"])
    result = solve("rsa(n=2, k=2, steps=2)", engine, budget="6 work")
    assert [c.answer for c in result.answer.candidates] == ["4", "5"]
    assert (result.work, result.stop) == (6, "work")


def test_rsa_refuses_more_parents_than_members() -> None:
    with pytest.raises(SpecError, match="n is 2: must be at least 3"):
        parse_strategy("rsa(n=2, k=3)")


# Universal self-consistency


def test_a_model_chooses_among_open_answers() -> None:
    engine = ScriptedEngine(["go north", "go south now", "go south", "Choice: 2"])
    result = solve("universal_self_consistency(n=3)", engine, kind="open")
    assert result.answer.text == "go south now"
    assert not result.answer.tied
    assert result.answer.best is not None
    assert result.answer.best.feedback.strip() == "Choice: 2"
    assert "--- Solution 3 ---\ngo south" in said(engine)[3]
    assert engine.requests[3].temperature == 0


def test_the_judges_engine_is_the_one_that_is_named() -> None:
    own, judge = ScriptedEngine(["go north", "go south"]), ScriptedEngine(["2"])
    strategy = "universal_self_consistency(n=2, engine='judge')"
    result = solve(strategy, own, {"judge": judge}, kind="open")
    assert (result.answer.text, len(own.requests), len(judge.requests)) == ("go south", 2, 1)
    assert result.usage == own.billed + judge.billed


def test_an_unreadable_choice_leaves_the_first_and_says_so() -> None:
    engine = ScriptedEngine(["go north", "go south", "hard to say, 2 or 1"])
    result = solve("universal_self_consistency(n=2)", engine, kind="open")
    assert (result.answer.text, result.answer.tied) == ("go north", True)
    assert result.answer.best is not None
    assert result.answer.best.feedback == ""


def test_an_unreadable_choice_leaves_the_plurality_where_answers_compare() -> None:
    engine = ScriptedEngine(["Answer: 5", "Answer: 4", "Answer: 4.0", "none of them"])
    assert solve("universal_self_consistency(n=3)", engine).answer.text == "4"


def test_only_what_holds_an_answer_can_be_chosen() -> None:
    engine = ScriptedEngine(["no idea", "Answer: 5", "Answer: 4", "Choice: 2"])
    assert solve("universal_self_consistency(n=3)", engine).answer.text == "4"
    assert "no idea" not in said(engine)[3]


# GenSelect


def judge_last(request: Request) -> str:
    """Play a model that draws by its seed, and prefers the last solution of those that it sees."""
    prompt = request.prompt[-1].text
    if "--- end ---" not in prompt:
        return f"Answer: {request.seed}"
    return f"they differ. Choice: {prompt.count('--- Solution')}"


def test_genselect_with_k_at_least_n_compares_all_at_once() -> None:
    engine = ScriptedEngine(judge_last)
    result = solve("genselect(n=4, k=4)", engine)
    assert len(engine.requests) == 5
    assert result.answer.text == str(engine.requests[3].seed)


def test_genselect_with_less_is_a_knock_out_in_draw_order() -> None:
    engine = ScriptedEngine(judge_last)
    result = solve("genselect(n=5, k=2)", engine)
    # 5 drawn; (1 2)(3 4)(5) leave 2, 4, 5; (2 4)(5) leave 4, 5; the last round leaves 5
    assert len(engine.requests) == 5 + 2 + 1 + 1
    assert result.answer.text == str(engine.requests[4].seed)
    assert (result.work, result.span) == (5 * 2 + 4 * 4, 2 + 3 * 4)


def test_genselect_without_a_readable_choice_votes() -> None:
    engine = ScriptedEngine(["Answer: 5", "Answer: 4", "Answer: 4", "hm", "hm"])
    assert solve("genselect(n=3, k=2)", engine).answer.text == "4"


# Debate


def test_agents_see_the_others_last_answers_and_their_own() -> None:
    engine = ScriptedEngine(
        ["one Answer: 1", "two Answer: 2", "three Answer: 3", "Answer: 2", "Answer: 2", "Answer: 3"]
    )
    result = solve("debate(agents=3, rounds=2)", engine)
    assert result.answer.text == "2"
    question, own, others = engine.requests[4].prompt
    assert (question.text, own.role, own.text) == (
        "What is 2 + 2?",
        "assistant",
        "two Answer: 2 ",
    )
    assert "--- Agent 1 ---\none Answer: 1\n\n--- Agent 2 ---\nthree Answer: 3" in others.text
    assert "two Answer" not in others.text
    assert [c.answer for c in result.answer.candidates] == ["2", "2", "3"]


def test_an_agent_keeps_its_engine_and_its_whole_conversation() -> None:
    a, b = ScriptedEngine(["Answer: 1"]), ScriptedEngine(["Answer: 2"])
    result = solve("debate(agents=2, rounds=3, engines=('', 'b'))", a, {"b": b})
    assert (len(a.requests), len(b.requests)) == (3, 3)
    assert [len(request.prompt) for request in b.requests] == [1, 3, 5]
    assert result.usage == a.billed + b.billed


def test_an_agent_that_fails_stays_with_its_word_and_one_that_never_spoke_asks_afresh() -> None:
    engine = FaultyEngine(
        ["Answer: 1", "Answer: 2", "Answer: 3", "Answer: 4"],
        faults={0: (0, REFUSED), 3: (0, REFUSED)},
    )
    result = solve("debate(agents=2, rounds=2)", engine)
    assert engine.requests[2].prompt == engine.requests[0].prompt
    assert "once more" in said(engine)[3], "alone, it checks itself"
    assert [c.answer for c in result.answer.candidates] == ["3", "2"]


# PlanSearch


def plan(request: Request) -> str:
    """Play a model that lists two observations, derives one, plans, and then answers."""
    prompt = request.prompt[-1].text
    if "Do not solve" in prompt:
        return "evenness symmetry"
    if "new observations" in prompt:
        return "derived"
    if "write a plan" in prompt:
        return "the plan"
    return "Answer: 4" if "the plan" in prompt else "lost"


def test_a_plan_is_made_from_observations_and_what_follows_from_them() -> None:
    engine = ScriptedEngine(plan)
    result = solve("plan_search(n=2)", engine)
    assert (result.answer.text, len(engine.requests)) == ("4", 1 + 2 * 3)
    assert result.answer.votes[0].weight == 2
    derived, planned, solved = engine.requests[1], engine.requests[3], engine.requests[5]
    assert "Known so far:\nevenness symmetry\n" in derived.prompt[-1].text
    assert "Known so far:\nevenness symmetry\nderived\n" in planned.prompt[-1].text
    assert "Plan:\nthe plan" in solved.prompt[-1].text
    assert (derived.max_tokens, solved.max_tokens) == (256, 1024)
    assert result.span == 2 + 1 + 2 + 2


def test_a_chain_that_fails_leaves_the_other_plans() -> None:
    result = solve("plan_search(n=3)", FaultyEngine(plan, faults={2: (0, REFUSED)}))
    assert (result.answer.text, result.answer.votes[0].weight) == ("4", 2)


def test_a_verifier_tells_the_solutions_apart_and_the_most_common_of_the_best_is_taken() -> None:
    answers = iter([3, 4, 4, 5])
    ratings = {"3": "2", "4": "9", "5": "9"}

    def script(request: Request) -> str:
        if "from 0 (certainly wrong)" in request.prompt[-1].text:
            return ratings[request.prompt[-2].text.split()[-1]]
        said = plan(request)
        return f"Answer: {next(answers)}" if said == "Answer: 4" else said

    result = solve("plan_search(n=4, verifier=judge)", ScriptedEngine(script))
    assert result.answer.text == "4"
    assert [(vote.answer, vote.weight) for vote in result.answer.votes] == [("4", 2), ("5", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "mixture_of_agents(engines=('', 'b'), engine='c')",
        "universal_self_consistency(engine='judge')",
        "plan_search(verifier=judge)",
        "debate(engines=('a', 'b'))",
    ],
)
def test_they_are_written_as_they_are_read(text: str) -> None:
    assert write(parse_strategy(text)) == text
