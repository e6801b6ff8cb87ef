"""How much to think is written as each class of models takes it, or refused before it is paid."""

from __future__ import annotations

import re
from typing import Any

import pytest

from workspan.core.engine import EngineInfo
from workspan.data.content import JsonObject
from workspan.data.efforts import CLASSES, class_of, exact_effort, merged, placed, thinking_tokens
from workspan.data.types import Message, Request
from workspan.engines.endpoint import Endpoint
from workspan.engines.endpoint.dialect import THINKING_CAPS, Dialect
from workspan.errors import InputError, SpecError, UnsupportedCapability
from workspan.strategies.adaptive.ladder import check_effort

PROMPT = (Message("user", "2 + 2?"),)


def body(model: str, effort: str, **stated: Any) -> dict[str, Any]:
    """Return what is sent beside what every request has."""
    dialect = Dialect("chat", model, **stated)
    sent = dialect.fields(Request(PROMPT, reasoning_effort=effort), 100)
    plain = dialect.fields(Request(PROMPT), 100)
    return {name: value for name, value in sent.items() if plain.get(name) != value}


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gpt-5.1", "high", {"reasoning_effort": "high"}),
        ("openai/gpt-oss-20b", "low", {"reasoning_effort": "low"}),
        ("Qwen/Qwen3-8B", "none", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("z-ai/glm-4.7", "none", {"thinking": {"type": "disabled"}}),
        ("deepseek-v4-pro", "max", {"reasoning_effort": "max"}),
        ("deepseek-v4-flash", "none", {"thinking": {"type": "disabled"}}),
        ("gpt-5", "xhigh", {"reasoning_effort": "high"}),  # the nearest, and it is said
        ("nobody-knows", "hm", {"reasoning_effort": "hm"}),
    ],
)
def test_a_class_is_told_in_its_own_words(model: str, effort: str, sent: dict[str, Any]) -> None:
    assert body(model, effort) == sent


def test_a_stated_field_stands_above_the_table() -> None:
    assert body("gpt-5", "xhigh", effort_field="reasoning.effort") == {
        "reasoning": {"effort": "xhigh"}
    }


def test_fields_of_the_owner_stay_beside_an_effort() -> None:
    dialect = Dialect("chat", "Qwen3-8B", extra={"chat_template_kwargs": {"custom": 1}})
    extra = JsonObject.of({"chat_template_kwargs": {"more": 2}})
    sent = dialect.fields(Request(PROMPT, reasoning_effort="none", extra=extra), 100)
    assert sent["chat_template_kwargs"] == {"enable_thinking": False, "custom": 1, "more": 2}


@pytest.mark.parametrize("field", ["max_tokens", "messages", "model", "a..b", "", " "])
def test_an_effort_can_only_be_written_where_nothing_of_the_engine_stands(field: str) -> None:
    if field:
        with pytest.raises(InputError, match="effort_field is"):
            Endpoint("http://127.0.0.1:1/v1", "m", effort_field=field)
    else:
        assert Endpoint("http://127.0.0.1:1/v1", "m").info.has_effort_field is False


@pytest.mark.parametrize(
    ("model", "effort", "said"),
    [
        ("gpt-5.1", "xhigh", "it takes none, low, medium, high"),
        ("gpt-5.1", "32k", "it takes none, low, medium, high"),
        ("gpt-4o", "high", "leave reasoning_effort out"),
        ("claude-sonnet-4-5", "high", "a number of tokens"),
        ("grok-4-fast", "low", "-reasoning or -non-reasoning"),
        ("nobody-knows", "high", "effort_field"),
        ("gpt-5.1", "0", "write none"),
    ],
)
def test_what_a_model_does_not_take_is_refused_with_what_it_does(
    model: str, effort: str, said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        exact_effort(model, effort)


def test_tokens_are_an_effort_where_a_server_can_cap_thinking() -> None:
    assert exact_effort("claude-opus-4-6", "32k").tokens == 32_000
    assert [thinking_tokens(one) for one in ("8000", "64K", "high", "-1")] == [
        8000,
        64_000,
        None,
        None,
    ]
    info = EngineInfo("endpoint", "m", capabilities=frozenset({"reasoning_effort"}))
    with pytest.raises(UnsupportedCapability, match="thinking_cap"):
        check_effort("32k", info)
    with pytest.raises(SpecError, match="nobody knows"):
        check_effort("high", info)
    check_effort("", info)  # its own default needs no word
    for odd in ("-1k", "1e3k", "low,,high", "low high", "8 k", "-"):
        with pytest.raises(SpecError, match="an effort is one word"):
            check_effort(
                odd, EngineInfo("endpoint", "m", None, info.capabilities, has_effort_field=True)
            )
    check_effort(
        "high", EngineInfo("endpoint", "m", None, info.capabilities, has_effort_field=True)
    )


def test_every_row_says_where_it_was_read_and_when() -> None:
    for row in CLASSES:
        assert row.source, row.name
        assert re.fullmatch(r"20\d\d-\d\d", row.checked), row.name
        assert row.takes, row.name
    assert class_of("openai/o3") is CLASSES[0]


def test_llama_cpp_has_a_name_of_its_own_for_a_cap() -> None:
    assert THINKING_CAPS["thinking_budget_tokens"](9) == {"thinking_budget_tokens": 9}


def test_places_nest_and_merge() -> None:
    assert placed("a.b.c", 1) == {"a": {"b": {"c": 1}}}
    assert merged({"a": {"b": 1}, "c": 2}, {"a": {"d": 3}, "c": 4}) == {
        "a": {"b": 1, "d": 3},
        "c": 4,
    }
