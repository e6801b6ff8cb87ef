"""A solver of Inspect that answers by a strategy: ``--solver workspan/scaled``.

It asks Inspect's own model, so that Inspect's limits, cache, log and connections hold: each draw is
a model event of the sample and counts in its usage. The account of the run stands in the sample's
store under "workspan", and in the output's metadata.

Inspect imports this at its start: it brings nothing of Workspan before a sample is solved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import LimitExceededError, sample_limits

if TYPE_CHECKING:
    from workspan.core.context import Event
    from workspan.data.types import Candidate, Message, Prompt, Request
    from workspan.integrations.tool_engine import Drawn


@solver  # type: ignore[untyped-decorator]  # Inspect is not installed where types are checked
def scaled(
    strategy: str = "self_consistency(n=8)",
    budget: str = "8k work",
    kind: str = "text",
    seed: int = 0,
) -> Solver:
    """Answer each sample by a strategy within a budget.

    Args:
        strategy: as Workspan writes it.
        budget: of each sample.
        kind: how answers are read to be compared, such as "number" or "choice".
        seed: root of all draws; each has a seed of its own, so that Inspect's cache keeps each.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001
        from workspan.app.answers import result_record
        from workspan.app.engines import Opened
        from workspan.app.solving import solve as run
        from workspan.app.specs import as_budget, as_kind
        from workspan.data.types import Problem
        from workspan.integrations.tool_engine import ToolEngine

        prompt = tuple(_turn(message) for message in state.messages)
        problem = Problem(str(state.sample_id), prompt, as_kind(kind))
        draws = _Draws(get_model(), state, problem.prompt)
        engine = ToolEngine(draws.info, draws)
        limits = as_budget(budget)
        try:
            result = await run(
                problem,
                strategy=strategy,
                engine=engine,
                budget=limits,
                seed=seed,
                stream=draws.see,
            )
        except BaseException:  # a limit, or whoever cancelled it: what was spent is said
            state.store.set("workspan", draws.account)
            raise
        record = result_record(result, str(limits), Opened(engine))
        draws.answer(result.answer.best, record)
        state.store.set("workspan", record)
        state.messages.append(state.output.message)
        if draws.exceeded is not None:
            raise draws.exceeded
        return state

    return solve


class _Draws:
    """Asks Inspect's model, and keeps the sample's output the best there is so far."""

    def __init__(self, model: Model, state: TaskState, asked: tuple[Message, ...]) -> None:
        from workspan.core.engine import EngineInfo
        from workspan.data.types import Usage

        self.model, self.state, self.asked = model, state, asked
        self.info = EngineInfo("inspect", str(model), can_be_cut=False, concurrency=1000)
        self.outputs: dict[str, ModelOutput] = {}
        self.exceeded: LimitExceededError | None = None
        self.spent = Usage()
        self._held = 0
        self._given_back = anyio.Event()
        self._sizes: dict[Prompt, int] = {}
        """Of prompts that were asked, in tokens."""
        self._messages = list(state.messages)

    async def __call__(self, request: Request) -> Drawn:
        """Ask once, when Inspect's limit on tokens has room for it beside the calls in flight."""
        from workspan.errors import BudgetExceeded, EngineRejected
        from workspan.integrations.tool_engine import Drawn

        cap, bound = await self._room(request)
        self._held += bound
        try:
            output = await self.model.generate(self._given(request), config=_config(request, cap))
        except LimitExceededError as error:
            self.exceeded = error
            raise BudgetExceeded(str(error), limit="work") from error
        except Exception as error:  # whatever a provider raises, when Inspect has given up
            raise EngineRejected(f"{type(error).__name__}: {error}") from error
        finally:
            self._held -= bound
            self._given_back.set()
            self._given_back = anyio.Event()
        text, usage = output.completion, _usage(output, request)
        self._sizes[request.prompt] = usage.input_tokens
        self.outputs.setdefault(text, output)
        is_cut = output.stop_reason in ("max_tokens", "model_length")
        return Drawn(text, usage, "length" if is_cut else "stop")

    async def _room(self, request: Request) -> tuple[int, int]:
        """Wait for room, and return the cap of a call with the tokens that it may take.

        A call that passed the limit would be paid and its answer lost. The very first one is made
        in any case, as Inspect itself would.

        Raises:
            NotAsked: there is no room, and nothing in flight could make any.
        """
        from workspan.integrations.tool_engine import NotAsked, prompt_bound

        while True:
            size = self._sizes.get(request.prompt) or prompt_bound(request.prompt)
            bound = size + request.max_tokens
            left = sample_limits().token.remaining
            if self.exceeded is None and (left is None or bound <= left - self._held):
                return request.max_tokens, bound
            if self.exceeded is not None or (not self._held and self._sizes and left <= size):
                raise NotAsked("Inspect's limit leaves no room for a call")
            if not self._held:
                cap = min(request.max_tokens, int(left) - size) if self._sizes else None
                return cap or request.max_tokens, bound
            await self._given_back.wait()

    def see(self, event: Event) -> None:
        """Set the sample's output as candidates come: a limit may end it at any time."""
        candidate, call = getattr(event, "candidate", None), getattr(event, "call", None)
        if candidate is not None:
            self.answer(candidate, None)
        if call is not None:
            self.spent += call.usage

    @property
    def account(self) -> dict[str, object]:
        """What was spent so far, as a record has it."""
        spent = self.spent
        return {
            "stop": "cancelled",
            "calls": spent.calls,
            "work": spent.output_tokens,
            "unseen": spent.unseen_tokens,
            "prefill": spent.prefill,
            "source": spent.source,
        }

    def answer(self, best: Candidate | None, record: dict[str, object] | None) -> None:
        """Make a candidate the sample's output."""
        text = best.text if best is not None else ""
        found = self.outputs.get(text) or ModelOutput.from_content(str(self.model), text)
        metadata = {**(found.metadata or {})} | ({"workspan": record} if record else {})
        self.state.output = found.model_copy(update={"metadata": metadata})

    def _given(self, request: Request) -> list[Any]:
        """Return the sample's own messages for its own prompt: they may hold more than text."""
        if request.prompt == self.asked:
            return self._messages
        return [_SAID[turn.role](content=turn.text) for turn in request.prompt]


_SAID: dict[str, Any] = {
    "system": ChatMessageSystem,
    "developer": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}


def _turn(message: Any) -> Message:
    from workspan.data.types import Message

    return Message(message.role, message.text)


def _config(request: Request, cap: int) -> GenerateConfig:
    told: dict[str, Any] = {
        "max_tokens": cap,
        "temperature": request.temperature,
        "top_p": request.top_p if request.top_p < 1 else None,
        "stop_seqs": list(request.stop) or None,
        "seed": request.seed,
    }
    return GenerateConfig(**{name: value for name, value in told.items() if value is not None})


def _usage(output: ModelOutput, request: Request) -> Any:
    from workspan.integrations.tool_engine import counted

    usage = output.usage
    if usage is None:
        return counted({}, output.completion, request.prompt)
    read, written = usage.input_tokens_cache_read or 0, usage.input_tokens_cache_write or 0
    told = {
        "input": usage.input_tokens + read + written,
        "cached": read,
        "output": usage.output_tokens,
        "reasoning": usage.reasoning_tokens,
    }
    return counted(told, output.completion, request.prompt)
