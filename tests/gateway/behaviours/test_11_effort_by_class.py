"""A reasoning effort is mapped by the model's class, or refused before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from gateway_requests import asked, replied
from workspan.core.engine import EngineInfo
from workspan.data.efforts import CLASSES, LEVELS, Effort, effort_for
from workspan.errors import InputError
from workspan.testing.scripted import ScriptedEngine

pytestmark = pytest.mark.anyio


@dataclass
class Named(ScriptedEngine):
    """A scripted engine that goes by a model's name."""

    model: str = field(default="")

    @property
    def info(self) -> EngineInfo:
        told = super().info
        return EngineInfo(told.name, self.model, capabilities=told.capabilities, price=told.price)


@pytest.mark.parametrize(
    ("model", "asked_for", "sent"),
    [
        ("o3-mini", "minimal", "low"),
        ("o3", "xhigh", "high"),
        ("openai/o4-mini", "medium", "medium"),
        ("gpt-5", "none", "minimal"),
        ("gpt-5-2025-08-07", "max", "high"),
        ("gpt-5.1", "none", "none"),
        ("gpt-5.1", "minimal", "none"),
        ("gpt-5.2", "max", "xhigh"),
        ("gpt-5-pro", "low", "high"),
        ("claude-opus-4-6", "xhigh", "high"),
        ("claude-opus-4.7", "xhigh", "xhigh"),
        ("gpt-oss-120b", "none?", ""),
        ("a-model-that-nobody-knows", "none?", "none?"),
    ],
)
def test_each_class_has_its_words(model: str, asked_for: str, sent: str) -> None:
    if not sent:
        with pytest.raises(InputError, match="reasoning_effort is"):
            effort_for(model, asked_for)
    else:
        assert effort_for(model, asked_for).level == sent


@pytest.mark.parametrize(
    ("model", "asked_for", "hint"),
    [
        ("o3", "none", "always thinks; it takes low, medium, high"),
        ("deepseek-r1", "low", "max_reasoning_tokens"),
        ("claude-3-7-sonnet", "high", "max_reasoning_tokens"),
        ("gpt-4o-mini", "high", "leave reasoning_effort out"),
        ("gpt-5", "hihg", "did you mean 'high'"),
    ],
)
async def test_what_nothing_comes_near_is_refused_unasked(
    model: str, asked_for: str, hint: str
) -> None:
    engine = Named(["never asked"], model=model)
    with pytest.raises(InputError, match=hint):
        await replied(asked({"reasoning_effort": asked_for}), engine)
    assert not engine.requests


async def test_what_was_mapped_is_said() -> None:
    engine = Named(["4"], model="gpt-5")
    body = {"messages": [{"role": "user", "content": "2 + 2? Reply with a single number."}]}
    reply = await replied(asked({**body, "reasoning_effort": "xhigh"}), engine)
    assert {request.reasoning_effort for request in engine.requests} == {"high"}
    assert "'high' was asked for" in reply.workspan["notices"][0]


async def test_what_thinks_or_does_not_is_told_in_its_own_way() -> None:
    engine = Named(["4"], model="Qwen/Qwen3-8B")
    await replied(asked({"reasoning_effort": "none", "top_k": 20}, "single"), engine)
    (request,) = engine.requests
    assert request.reasoning_effort is None
    assert request.extra.value == {
        "chat_template_kwargs": {"enable_thinking": False},
        "top_k": 20,
    }


async def test_no_thinking_of_what_never_thinks_is_nothing_to_refuse() -> None:
    assert effort_for("gpt-4o", "none") == Effort(None)


def test_the_levels_of_every_class_are_known_and_in_order() -> None:
    for one in CLASSES:
        places = [LEVELS.index(level) for level in one.levels]
        assert places == sorted(places)
        assert one.levels or one.instead
