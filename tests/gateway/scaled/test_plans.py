"""What a request is planned as, and what is refused before anything is spent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway_requests import PERSON, WEATHER, asked, replied
from workspan.answers import structured
from workspan.answers.schema import Schema
from workspan.answers.turn import calls_said, formed
from workspan.core.engine import EngineInfo, Price
from workspan.data.content import JsonObject, ToolCall, ToolSpec
from workspan.errors import InputError, UnsupportedCapability
from workspan.serve.rules import Rules
from workspan.serve.scaled import plan
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.policies.cold import Cold
from workspan.testing.scripted import ScriptedEngine

pytestmark = pytest.mark.anyio

NUMBER: dict[str, Any] = {
    "messages": [{"role": "user", "content": "2 + 2? Reply with a single number."}]
}
INFO = ScriptedEngine(["x"]).info


def test_a_draft_without_a_cap_has_its_share_of_the_budget() -> None:
    def cap(strategy: str, budget: str, **body: Any) -> int:
        return plan(asked({**NUMBER, **body}, strategy, budget), INFO).request.max_tokens

    assert cap("self_consistency(n=8)", "8k work") == 1000
    assert cap("auto", "8k work") == 2666
    assert cap("auto", "") == 4096
    assert cap("self_consistency(n=8)", "2k work") == 512
    assert cap("self_consistency(n=8)", "300 work") == 300
    assert cap("self_consistency(n=8)", "8k work", max_tokens=5000) == 5000


def test_a_cap_in_the_strategys_own_text_stands() -> None:
    made = plan(asked(NUMBER, "self_consistency(n=2, max_tokens=30)"), INFO)
    assert made.name == "self_consistency(n=2, max_tokens=30)"
    assert getattr(made.strategy, "max_tokens", 0) == 30
    unsaid = plan(asked(NUMBER, "self_consistency(n=2)"), INFO)
    assert getattr(unsaid.strategy, "max_tokens", 0) == 4000


async def test_auto_that_knows_a_profile_decides_itself() -> None:
    auto = Auto(fitted=Cold(0.95, 0.0))
    engine = ScriptedEngine(["7"])
    reply = await replied(asked(NUMBER, auto), engine)
    assert reply.body["choices"][0]["message"]["content"].strip() == "7"
    assert reply.workspan["strategy"] == "auto"
    assert reply.workspan["calls"] > 1
    with_tools = plan(asked({**NUMBER, "tools": [WEATHER]}, auto), INFO)
    assert with_tools.name == "auto(n=9, window=3)"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("auto", "auto(n=9, window=3)"),
        ("auto(n=16)", "auto(n=16, window=3)"),
        ("auto(n=2)", "auto(n=2, window=2)"),
        ("auto(n=16, verifier=judge)", "auto(n=16, verifier=judge)"),
        ("auto(confidence=0.5)", "auto(confidence=0.5)"),
        ("auto(floor='mode')", "auto(floor='mode')"),
    ],
)
def test_auto_that_knows_nothing_widens(text: str, name: str) -> None:
    assert plan(asked(NUMBER, text), INFO).name == name


@pytest.mark.parametrize(
    ("body", "strategy", "says"),
    [
        ({"n": 4097}, "single", "at most 4096 choices"),
        ({"n": 2, "tools": [WEATHER]}, "then(single, self_refine)", "works on texts"),
        ({"n": 2}, "self_refine", "ask for one choice"),
        ({"tools": [WEATHER]}, "auto(floor='mode')", "a stated risk is of short answers"),
    ],
)
def test_what_can_not_be_done_is_refused(body: dict[str, Any], strategy: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        plan(asked({**NUMBER, **body}, strategy), INFO)


def test_an_engine_without_a_setting_refuses_no_habit() -> None:
    plain = EngineInfo("embedded", "m", capabilities=frozenset())
    habits = {
        "response_format": {"type": "text"},
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "logit_bias": {},
        "tool_choice": "auto",
        "user": "u",
        "store": False,
    }
    request = plan(asked({**NUMBER, **habits}), plain).request
    assert (request.response_format, request.frequency_penalty) == (None, None)
    assert request.tool_choice is None
    assert not request.extra
    kept = plan(asked({**NUMBER, **habits}), INFO).request
    assert kept.frequency_penalty == 0
    assert kept.extra.value == {"user": "u", "store": False}


async def test_what_an_engine_lacks_is_refused_unasked() -> None:
    class Plain(ScriptedEngine):
        @property
        def info(self) -> EngineInfo:
            return replace(super().info, capabilities=frozenset())

    engine = Plain(["x"])
    for body in ({"tools": [WEATHER]}, {"response_format": PERSON}, {"logit_bias": {"5": 1}}):
        with pytest.raises(UnsupportedCapability):
            await replied(asked({**NUMBER, **body}), engine)
    assert not engine.requests


async def test_a_money_budget_needs_no_price_of_engines_that_are_not_asked() -> None:
    priced = ScriptedEngine(["7"], price=Price(Decimal(1), Decimal(1)))
    other = ScriptedEngine(["x"], price=None)
    reply = await replied(asked(NUMBER, "auto", "$1"), priced, other=other)
    assert reply.workspan["cost"] > 0


def test_a_plan_that_changes_nothing_says_so() -> None:
    assert plan(asked({**NUMBER, "top_k": 3}, "single"), INFO).is_as_asked
    capped = {**NUMBER, "max_reasoning_tokens": 9}
    assert not plan(asked(capped, "single"), INFO).is_as_asked


def test_a_clients_schema_can_not_keep_the_server() -> None:
    endless = {"type": "json_schema", "json_schema": {"schema": {"anyOf": [{"$ref": "#"}] * 2}}}
    assert formed("1", JsonObject.of(endless)) is None
    odd = {"type": "json_schema", "json_schema": {"schema": {"pattern": "(a+)+$"}}}
    assert formed('"aaaa!"', JsonObject.of(odd)) == '"aaaa!"'  # not understood: any JSON goes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"b": 1.0, "a": [true, 1e2]}', '{"name": "f", "arguments": {"a": [true, 100], "b": 1}}'),
        ("", '{"name": "f", "arguments": {}}'),
        ('{"a": -0.0, "b": -20}', '{"name": "f", "arguments": {"a": 0, "b": -20}}'),
        (
            '{"a": 12345678901234567890123456789012345678901.5}',
            '{"name": "f", "arguments": {"a": 12345678901234567890123456789012345678901.5}}',
        ),
        ('{"a": 1e-3}', '{"name": "f", "arguments": {"a": 0.001}}'),
        ('{"a": 1, "a": 2}', None),
        ("[1]", None),
        ('{"a": NaN}', None),
        ('{"a": 1e999999999}', '{"name": "f", "arguments": {"a": 1E+999999999}}'),
        ('{"a": ' + "[" * 300 + "]" * 300 + "}", None),
    ],
)
def test_calls_are_written_by_value(arguments: str, said: str | None) -> None:
    found = calls_said((ToolCall("", "f", arguments),))
    assert found == (None if said is None else f"[{said}]")


def test_other_tools_are_called_by_their_text() -> None:
    tool = ToolSpec(JsonObject.of({"type": "custom", "custom": {"name": "sh"}}))
    call = ToolCall("", "sh", "ls -l", "custom")
    assert calls_said((call,), (tool,)) == '[{"name": "sh", "input": "ls -l"}]'
    assert calls_said((replace(call, name="rm"),), (tool,)) is None


@pytest.mark.parametrize(
    "name", ["drafts", "width", "window", "max_tokens", "max_reasoning_tokens"]
)
def test_rules_are_checked(name: str) -> None:
    wrong: dict[str, Any] = {name: 0}
    with pytest.raises(InputError, match=name):
        Rules(**wrong)


WORDS = (
    *("type", "minimum", "multipleOf", "const", "enum", "uniqueItems", "minLength", "required"),
    *("properties", "items", "prefixItems", "contains", "additionalProperties", "propertyNames"),
    *("anyOf", "oneOf", "allOf", "not", "if", "$ref", "$defs", "maxProperties"),
)


@pytest.mark.parametrize("word", WORDS)
def test_no_schema_of_a_client_and_no_number_of_a_model_breaks_a_vote(word: str) -> None:
    """Both come from outside: a schema is understood or refused, a value fits or does not."""
    rules: list[Any] = [
        *("integer", "x", 5, 1.5, None, True, [], ["a"], [1], {}, {"type": "integer"}, {"a": 5}),
        *([{"type": "integer"}], {"a": {"type": "integer"}}, "#", "#/$defs/a", 10**400, [{}]),
    ]
    texts = ('{"a": 1}', "1e999999999", "1e-999999999", "-0.0", '"s"', "[1, 1]", "null", "1" * 500)
    values = [structured.value_of(text) for text in texts]
    for rule in rules:
        try:
            schema = Schema({"$defs": {"a": {"type": "string"}}, word: rule})
        except InputError:
            continue
        for value in values:
            assert schema.fits(value) in (True, False)
