"""One run: a strategy on a problem, from an empty account to a result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal

import anyio

from workspan.answers import prepare
from workspan.core.call import replay
from workspan.core.clock import Call, Clock
from workspan.core.context import Context, Event
from workspan.core.engine import (
    Capability,
    Engine,
    EngineInfo,
    Whole,
    check_offered,
    give_back,
    needs,
    ready,
    told_by,
)
from workspan.core.journal import Journal, digest
from workspan.core.ledger import Ledger
from workspan.core.session import Fits, Session, Strategy
from workspan.core.stopwatch import WALL, Time
from workspan.data.budget import Budget
from workspan.data.entry import End, Entry, RunId
from workspan.data.types import Answer, Notice, Problem, Usage
from workspan.errors import (
    BudgetExceeded,
    EngineError,
    GraderError,
    InputError,
    SpecError,
    UnpricedModel,
    UnsupportedCapability,
    nearest,
)
from workspan.legible import counted, for_html
from workspan.registry.card import Card
from workspan.spec import write


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run."""

    problem: str
    """Id of the problem."""
    strategy: str
    answer: Answer
    usage: Usage
    span: int
    """Decoded tokens on the longest chain of calls that waited for one another."""
    seconds: float
    stop: str
    """"done", or the limit that refused or cut the last call: work, span, calls, seconds…"""
    trace: tuple[Call, ...]
    overruns: Mapping[str, int | Decimal] = field(default_factory=dict)
    """By how much each limit was passed, by its name in `Budget`: empty unless an engine decoded,
    read or billed more than it was asked for. Tokens that a cut may have left unseen count."""
    notices: tuple[Notice, ...] = ()
    """What was odd, such as a server that contradicts itself; each with how often."""

    def _repr_html_(self) -> str:
        """Lay it out for a notebook; what models wrote is text there, never markup."""
        answer = self.answer.text if self.answer.best else f"no answer: {self.unanswered}"
        votes = ", ".join(f"{vote.answer} × {vote.weight:g}" for vote in self.answer.votes[:8])
        rows = {
            "answer": answer,
            "votes": votes,
            "work": f"{counted(self.work, 'token')} ({self.usage.source})",
            "span": counted(self.span, "token"),
            "calls": self.usage.calls,
            "seconds": f"{self.seconds:.2f}",
            "ended by": "the strategy" if self.stop == "done" else f"the limit on {self.stop}",
            "notes": "; ".join(notice.text for notice in self.notices),
        }
        told = [(name, str(value)) for name, value in rows.items() if value not in ("", None)]
        body = "".join(
            f"<tr><th>{name}</th><td>{for_html(value)}</td></tr>" for name, value in told
        )
        return f"<table><tbody>{body}</tbody></table>"

    @property
    def overrun(self) -> int:
        """Decoded tokens past the budget."""
        return int(self.overruns.get("work", 0))

    @property
    def work(self) -> int:
        """Decoded tokens of all calls."""
        return self.usage.output_tokens

    @property
    def parallelism(self) -> float:
        """Work over span: 1 for a chain, n for n equal chains side by side."""
        return self.work / self.span if self.span else 1.0

    @property
    def call_seconds(self) -> float:
        """Seconds that engines took, added up over calls side by side."""
        return sum(call.ended - call.began for call in self.trace)

    @property
    def queue_seconds(self) -> float:
        """Seconds that calls stood in line for a place or for the account, added up likewise."""
        return sum(call.queued for call in self.trace)

    @property
    def unanswered(self) -> str:
        """Why there is no answer; empty where there is one."""
        if self.answer.best is not None:
            return ""
        limit = "" if self.stop == "done" else f"the limit on {self.stop}"
        if not self.trace:
            if self.stop == "seconds":
                return "no call was made: the time was up"
            return f"no call was made: {limit} holds none" if limit else "no call was made"
        if any(candidate.answer is not None for candidate in self.answer.candidates):
            return "the strategy abstained: none of the answers was sure enough"
        is_silent = not any(call.usage.output_tokens for call in self.trace)
        why = "no call was answered" if is_silent else "no sample held one"
        return why + (f"; {limit} ended the run" if limit else "")

    @property
    def failures(self) -> int:
        """Calls that came to nothing."""
        return sum(call.outcome in ("failed", "lost") for call in self.trace)


def check(
    strategy: Strategy,
    engine: Engine,
    budget: Budget,
    engines: Mapping[str, Engine] | None = None,
    tools: Collection[str] = (),
) -> None:
    """Refuse, before any spend, what can't work.

    Raises:
        UnsupportedCapability: the engine lacks what the strategy or a part of it needs.
        SpecError: a part names an engine or needs a tool that the run does not have, or does not
            fit the engine.
        UnpricedModel: a money limit on a model whose price is unknown.
    """
    engines = engines or {}
    for part in parts(strategy):
        for name in engine_names(part):
            if name and name not in engines:
                known = nearest(name, engines) if engines else "the run has no further engines"
                raise SpecError(f"{write(part)} names an unknown engine {name!r}: {known}")
        _check_tools(part, tools)
        if isinstance(part, Fits):
            part.check(engine.info)
        for used in [engines.get(name, engine) for name in engine_names(part) or ("",)]:
            missing = sorted(part.requires - used.info.capabilities)
            if missing:
                raise UnsupportedCapability(
                    f"{write(part)} needs {', '.join(missing)}, "
                    f"which {used.info.name} {used.info.model} does not offer{_hint(missing)}"
                )
        _check_asks(part, engine, engines)
    for info in (used.info for used in (engine, *engines.values())):
        if info.whole is not None:
            _check_whole(info, info.whole, budget)
        elif budget.cost is not None and info.price is None:
            raise UnpricedModel(
                f"the budget limits money, and no price is known for {info.model}: "
                "give the engine a price, or limit work"
            )


def _hint(missing: Sequence[Capability]) -> str:
    """Say how an engine may come to offer what is missing, where there is a way."""
    if "continue" not in missing:
        return ""
    return ": where a server continues an answer that was begun, say so with -o prefill=true"


def _check_asks(part: Strategy, engine: Engine, engines: Mapping[str, Engine]) -> None:
    """Refuse to have a rollout judge, compare or summarise: it does the task, whatever it is asked.

    Raises:
        SpecError: the part would ask it.
    """
    asked, card = getattr(part, "engine", None), getattr(part, "card", None)
    is_judge = isinstance(card, Card) and not card.family and card.calls not in ("", "0")
    info = engines.get(asked or "", engine).info
    if info.whole is None or not (is_judge or asked is not None):
        return
    what = f"{write(part)} would ask {info.name}, which does the task and answers nothing else"
    if asked is None:
        raise SpecError(f"{what}: take a verifier that asks no model, such as patch_tests")
    raise SpecError(f"{what}: name a model for it, engine='judge' with --engine judge=…")


def _check_whole(info: EngineInfo, whole: Whole, budget: Budget) -> None:
    """Refuse a limit on what nobody knows of a call.

    Raises:
        UnpricedModel: the money.
        UnsupportedCapability: the tokens.
    """
    known = {
        "work": whole.work,
        "span": whole.work,
        "prefill": whole.prefill,
        "cost": whole.cost,
    }
    for limit, most in known.items():
        if getattr(budget, limit) is not None and most is None:
            said = (
                f"the budget limits {limit}, and nothing says how much one call of {info.name} may "
                f"take: state its most ({_STATED[limit]}), or limit calls and seconds, such as "
                "'4 calls, 30min'"
            )
            raise UnpricedModel(said) if limit == "cost" else UnsupportedCapability(said)


_STATED = {
    "work": "tokens=, --tokens",
    "span": "tokens=, --tokens",
    "prefill": "prompt_tokens=",
    "cost": "cost=, --cost",
}


def _check_types(strategy: object, problem: object, engine: object, budget: object) -> None:
    """Say what would be right where a text stands for what it names.

    Raises:
        InputError: so it does.
    """
    said = {
        "strategy": (strategy, "parse_strategy('self_consistency(n=8)')"),
        "problem": (problem, "Problem.ask('…')"),
        "engine": (engine, "Endpoint('http://HOST/v1', 'model')"),
        "budget": (budget, "Budget.parse('2k work')"),
    }
    for name, (value, right) in said.items():
        if isinstance(value, str):
            raise InputError(
                f"the {name} is a text: run takes {right}; workspan.solve takes texts everywhere"
            )


def _check_tools(part: Strategy, tools: Collection[str]) -> None:
    for tool in sorted(getattr(part, "tools", ())):
        if tool not in tools:
            raise SpecError(f"{write(part)} needs the tool {tool!r}: {TOOLS.get(tool, '')}")


TOOLS: Mapping[str, str] = {"search": "give a corpus to search (corpus, or --corpus FOLDER)"}
"""How a user gets the tools that strategies use."""


def identify(strategy: Strategy, problem: Problem, budget: Budget, seed: int = 0) -> RunId:
    """Return what a file of journals knows a run by."""
    return RunId(write(strategy), problem.id, digest(problem), str(budget), seed)


def parts(strategy: Strategy) -> list[Strategy]:
    """Return the strategy with the strategies and verifiers that it is made of, itself first."""
    found = [strategy]
    for name in getattr(strategy, "__dataclass_fields__", ()):
        held = getattr(strategy, name)
        for one in held if isinstance(held, tuple) else (held,):
            if hasattr(one, "requires"):
                found += parts(one)
    return found


def engine_names(part: Strategy) -> tuple[str, ...]:
    """Return the engines that a part names in its fields `engine` and `engines`."""
    several: tuple[str, ...] = getattr(part, "engines", ())
    return tuple(dict.fromkeys((*several, *((part.engine,) if hasattr(part, "engine") else ()))))


async def run(
    strategy: Strategy,
    problem: Problem,
    engine: Engine,
    *,
    budget: Budget | None = None,
    seed: int = 0,
    journal: Journal | None = None,
    account: Ledger | None = None,
    limiter: anyio.CapacityLimiter | None = None,
    observer: Callable[[Event], None] | None = None,
    engines: Mapping[str, Engine] | None = None,
    tools: Mapping[str, Callable[[str], Awaitable[str]]] | None = None,
    time: Time = WALL,
    is_owed: bool = False,
    asks_again: bool = True,
) -> Result:
    """Run `strategy` on `problem` within `budget` and return the answer with its exact account.

    A journal that holds part of the run already is continued: nothing in it is asked again, and
    a run that it holds whole costs nothing. `account` is a larger account to charge as well;
    `limiter`, shared by runs on one engine, bounds their calls in flight together. `engines` are
    further ones that strategies name, `tools` what they may use, such as "search". `time` is the
    clock that the run goes by: it starts when the engines have loaded their models. With `is_owed`
    the larger account knows already what the journal holds. Without `asks_again` a call that died
    after it was billed is not asked for once more, such as one whose text was passed on as it came.

    Raises:
        EngineError: the strategy could not go on without a call that failed.
        UnsupportedCapability: see `check`, as for SpecError and UnpricedModel.
        JournalError: the journal could not be written; what it holds is kept.
    """
    budget = Budget() if budget is None else budget
    _check_types(strategy, problem, engine, budget)
    check(strategy, engine, budget, engines, tools or {})
    if engine.info.whole is not None and problem.kind != "open":
        raise InputError(
            f"{engine.info.name} answers with a whole diff: the problem's kind is open, not "
            f"{problem.kind} (kind='open', --kind open)"
        )
    wanted = told_by(problem.prompt)
    if problem.request is not None:
        check_offered(engine.info, needs(replace(problem.request, prompt=problem.prompt)))
    for part in parts(strategy) if wanted else ():
        for name in engine_names(part) or ("",):
            check_offered((engines or {}).get(name, engine).info, wanted)
    journal = Journal() if journal is None else journal
    end = journal.end(str(budget))
    recorded = journal.usage()
    ledger = Ledger(budget, account, recorded)
    if account is not None and not is_owed:
        account.owe(recorded)
    if end is None:
        await _load(problem, budget, (engine, *(engines or {}).values()))
    context = Context(
        engine=engine,
        journal=journal,
        seed=seed,
        limiter=limiter or anyio.CapacityLimiter(engine.info.concurrency),
        started=time.now() - journal.seconds,
        time=time,
        seconds=budget.seconds,
        is_replay=end is not None,
        observer=observer,
        engines=engines or {},
        tools=tools or {},
        problem=None if problem.request is None else problem,
        asks_again=asks_again,
    )
    session = Session(context, ledger, Clock(limit=budget.span))
    try:
        answer = await _answer(strategy, problem, session)
    finally:
        _charge_rest(context, ledger)
    seconds = context.elapsed() if end is None else end.ended
    stop = (context.refused or "done") if end is None or end.end is None else end.end.stop
    if end is None:
        journal.finish(End(str(budget), stop, answer.why), seconds)
    return Result(
        problem.id,
        write(strategy),
        answer,
        ledger.spent,
        session.clock.now,
        seconds,
        stop,
        tuple(context.trace),
        _overruns(ledger, session.clock.now),
        context.notices,
    )


def _charge_rest(context: Context, ledger: Ledger) -> None:
    """Charge the recorded calls that a resumed run did not come to: they were spent all the same.

    A run that failed or was cut down may go another way when it is resumed with less left.
    """
    reached = {call.key for call in context.trace}
    for entry in context.journal.calls():
        if entry.key not in reached:
            replay(context, ledger, Clock(), entry)
            context.trace[-1] = replace(context.trace[-1], waited=False)


def _overruns(ledger: Ledger, span: int) -> dict[str, int | Decimal]:
    """Add the span, which a clock limits, to the columns of the account."""
    limit = ledger.budget.span
    return ledger.overruns | ({} if limit is None or span <= limit else {"span": span - limit})


async def _load(problem: Problem, budget: Budget, engines: Iterable[Engine]) -> None:
    """Load models, and what compares answers where time is limited: none of it is the run's."""
    await ready(engines)
    if budget.seconds is not None:
        with suppress(GraderError):  # votes do without, and say so
            await anyio.to_thread.run_sync(prepare, problem.kind)


async def _answer(strategy: Strategy, problem: Problem, session: Session) -> Answer:
    """Run the strategy; when the budget ends it, its best candidate so far is the answer."""
    try:
        return _checked(strategy, await strategy(problem, session))
    except BudgetExceeded:
        best = session.standing.best
        return Answer(best, (best,) if best else ())
    except EngineError as error:
        for key in error.keys:  # a resumed run asks these again
            session.run.journal.append(Entry(key, "retry"))
        raise


def _checked(strategy: Strategy, answer: object) -> Answer:
    """Refuse what is no answer, naming who gave it.

    Raises:
        InputError: it is none.
    """
    if isinstance(answer, Answer):
        return answer
    close = getattr(answer, "close", None)
    if close is not None:
        close()  # a coroutine that nobody awaits
    raise InputError(
        f"{write(strategy)} returned {type(answer).__name__}, not an Answer: a strategy ends with "
        "one, such as `return await session.vote(…)`"
    )


def refuse_loop(name: str) -> None:
    """Say how to call it where an event loop runs already, as in a notebook.

    Raises:
        InputError: one does.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise InputError(
        "an event loop runs here already, as in every notebook: write "
        f"`await workspan.{name}(…)` instead"
    )


def run_sync(
    strategy: Strategy,
    problem: Problem,
    engine: Engine,
    *,
    budget: Budget | None = None,
    seed: int = 0,
    engines: Mapping[str, Engine] | None = None,
    tools: Mapping[str, Callable[[str], Awaitable[str]]] | None = None,
) -> Result:
    """Run from ordinary code and close the engines: the one door that is not asynchronous."""

    async def main() -> Result:
        async with AsyncExitStack() as stack:
            for used in (engine, *(engines or {}).values()):
                stack.push_async_callback(give_back, used)
            return await run(
                strategy, problem, engine, budget=budget, seed=seed, engines=engines, tools=tools
            )

    refuse_loop("run")
    return anyio.run(main)
