"""Holds an account against the server's own count.

Nothing here is shared with the engine: what it counts, this counts again from what the server
decoded. What no client can know is left out, and only that:

- tokens decoded after a hang-up beyond the `overshoot` that the engine was told, or beyond a cap
  that was not passed yet, or that neither words nor figures show to be passed;
- tokens beyond its cap of a whole reply that broke off, and all of one that was an error instead;
- tokens gathered for a piece, or decoded in secret, of a stream that ended before it spoke of them;
- more tokens than the text has bytes, where no figure ever came;
- all of a stream that held nothing but a refusal;
- a figure below the truth that nothing on the wire contradicts;
- what a server that minds no cap had decoded when the client was killed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from workspan.core.journal import Journal
from workspan.data.types import Amount, Usage
from workspan.runner import Result
from workspan.testing.faults import Habits, Served
from workspan.testing.fuzz.case import Kill
from workspan.testing.fuzz.drive import TARIFF, Evidence, Pass

_CHARACTERS = 24
"""A figure of fewer tokens than one for so many characters is contradicted by the text."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken promise."""

    code: str
    text: str


def judge(evidence: Evidence) -> list[Problem]:
    """Return every promise that the case broke."""
    last = evidence.passes[-1]
    problems = [p for each in evidence.passes for p in _ended(each)]
    problems += [p for each in evidence.passes for p in _books(each)]
    problems += _work(evidence, last)
    problems += _others(evidence, last)
    problems += _figures(last.account.spent)
    problems += _kept(evidence)
    problems += _replayed(evidence)
    if evidence.case.is_honest:
        problems += _honest(evidence)
    return list(dict.fromkeys(problems))


def _ended(each: Pass) -> list[Problem]:
    """No crash, no hang."""
    if each.crash is not None:
        return [Problem(f"crash {type(each.crash).__name__} {each.trace}", repr(each.crash)[:200])]
    return [Problem("hang", "no progress, or progress without end")] if each.is_hung else []


def _books(each: Pass) -> list[Problem]:
    """The account is what the journal holds, and nothing is left reserved."""
    problems = []
    if each.account.held != Amount():
        problems.append(Problem("held", f"still held: {each.account.held}"))
    if not each.is_killed and each.crash is None and not each.is_hung:
        spent, journaled = each.account.spent, Journal(each.entries).usage()
        if each.error is None and spent != journaled:
            problems.append(Problem("journal", f"spent {spent}, journaled {journaled}"))
    return problems


class Client(Protocol):
    """What `due` must know of who asked, and of the server."""

    @property
    def overshoot(self) -> int:
        """What it was told that the server decodes after a hang-up."""
        ...

    @property
    def habits(self) -> Habits:
        """Of the server."""
        ...

    @property
    def kill(self) -> Kill | None:
        """How it was cut down."""
        ...


def due(row: Served, case: Client) -> int:
    """Return the tokens of one request that the account must hold."""
    if row.is_refused:
        return 0
    cap, tokens = row.asked.cap * row.asked.choices, row.work - row.held
    if row.after > case.overshoot:
        tokens -= row.after  # a client sees nothing of these, and `overshoot` covers the rest
    if row.is_gone and row.work - row.after - row.held <= cap + 3 * case.habits.per_piece:
        tokens = min(tokens, cap)  # it was gone before the cap was
    if case.kill == "killed" and row.is_gone:
        tokens = min(tokens, cap)  # that it minds none died with the client
    if row.is_whole and not row.is_complete:
        tokens = min(tokens, cap)  # whatever came told nothing
    claim = claimed(row)
    if not row.reports and _words(row) <= cap:
        tokens = min(tokens, cap)  # nothing on the wire shows that it was passed
    if claim is None:
        return tokens if _names_cap(row) else min(tokens - row.hidden, _most(row))
    return min(tokens, claim) if _is_believable(claim, row) else tokens


def _words(row: Served) -> int:
    """Return the least tokens that what was sent can be: no token spans two words."""
    return len(" ".join((*row.answers, row.thinking, row.other)).split())


def _most(row: Served) -> int:
    """Return the most tokens that what was sent shows: a token is a byte at least."""
    if row.reports:
        return row.work
    return max(row.told, len(row.sent.encode(errors="surrogatepass"))) + row.asked.choices


def _names_cap(row: Served) -> bool:
    """Its last word is that the cap was reached: then it says how much was decoded."""
    return row.is_complete and set(row.finishes) == {"length"}


def claimed(row: Served) -> int | None:
    """Return the tokens that the server's last word on usage stands for; None if it has none."""
    report = row.reports[-1] if row.reports and not row.unreported else None
    if not isinstance(report, dict):
        return None
    said, prompt, total = (
        _whole(report.get(name)) for name in ("completion_tokens", "prompt_tokens", "total_tokens")
    )
    details = report.get("completion_tokens_details")
    thought = _whole(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    if said is None:
        return None
    if prompt is not None and total is not None and total - prompt > said:
        return total - prompt
    return said + thought if thought is not None and thought > said else said


def _whole(value: object) -> int | None:
    return value if type(value) is int else None


def _is_believable(claim: int, row: Served) -> bool:
    """Nothing on the wire says that it is more."""
    if claim < 1 or claim < row.told or (row.asked.choices > 1 and not _may_be_all(claim, row)):
        return False
    return claim * _CHARACTERS >= row.characters


def _may_be_all(claim: int, row: Served) -> bool:
    """Say whether a claim may be of several choices together, of a reply that came whole.

    A stream shows its pieces, so that one that is too low can be told there.
    """
    full = [finish == "length" for finish in row.finishes]
    least = [max(1, len(answer.split())) for answer in row.answers]
    is_one = claim == row.asked.cap and sum(full) > 1
    return row.is_whole and claim >= sum(least) and not is_one


def _work(evidence: Evidence, last: Pass) -> list[Problem]:
    """Tokens: none that was served is missing, none is over the budget unmarked."""
    case, rows = evidence.case, evidence.tally.rows
    served = sum(due(row, case) for row in rows)
    spent = last.account.spent
    problems = []
    if spent.output_tokens + spent.unseen_tokens < served:
        problems.append(
            Problem(
                "work below served",
                f"served {served}, work {spent.output_tokens} + unseen {spent.unseen_tokens}",
            )
        )
    limit = case.budget.work
    if limit is not None and served > limit:
        overrun = max(0, spent.amount.work - limit)
        if last.result is not None:
            overrun = int(last.result.overruns.get("work", 0))
        if overrun < served - limit:
            problems.append(
                Problem("work over budget", f"served {served} of {limit}, overrun {overrun}")
            )
        elif case.is_honest and case.habits.per_piece == 1 and case.habits.words != "emoji":
            problems.append(
                Problem("honest work over budget", f"served {served} of {limit}, marked {overrun}")
            )
    limit = case.budget.span
    if limit is not None and last.result is not None and _is_chain(evidence, last.result):
        said = last.result.span + spent.unseen_tokens
        if served > max(limit, said):
            problems.append(Problem("span over budget", f"{served} in a row, of {limit}: {said}"))
    return problems


def _is_chain(evidence: Evidence, result: Result) -> bool:
    """No two calls ran side by side, nor could have."""
    return evidence.tally.at_once <= 1 and not any("." in call.key for call in result.trace)


def _others(evidence: Evidence, last: Pass) -> list[Problem]:
    """Calls, prompt tokens and money."""
    case, spent = evidence.case, last.account.spent
    rows = [row for row in evidence.tally.rows if row.is_call]
    served: dict[str, tuple[int | Decimal, int | Decimal | None]] = {
        "calls": (len(rows), spent.calls),
        "prefill": (sum(row.prompt - row.cached for row in rows), spent.prefill),
    }
    if case.is_priced:
        costs = [row.cost(TARIFF, max(0, due(row, case))) for row in rows]
        served["cost"] = (sum(costs, Decimal(0)), spent.cost)
    problems = []
    for name, (count, account) in served.items():
        if account is None or account < count:
            problems.append(Problem(f"{name} below served", f"served {count}, account {account}"))
        limit = getattr(case.budget, name)
        if limit is not None and count > limit and case.is_honest:
            problems.append(Problem(f"honest {name} over budget", f"{count} of {limit}"))
    return problems


def _figures(spent: Usage) -> list[Problem]:
    """Figures that can't be true are no account."""
    is_sound = (
        0 <= spent.cached_tokens <= spent.input_tokens
        and 0 <= spent.reasoning_tokens <= spent.output_tokens
        and spent.unseen_tokens >= 0
        and (spent.cost is None or (spent.cost.is_finite() and spent.cost >= 0))
    )
    return [] if is_sound else [Problem("impossible account", str(spent))]


def _kept(evidence: Evidence) -> list[Problem]:
    """A whole answer that arrived is a sample of the journal, or was cut by the strategy."""
    case, (first, *_) = evidence.case, evidence.passes
    if not all(fault.keeps for fault in case.faults) or first.is_killed or first.is_hung:
        return []
    if first.crash is not None:
        return []
    if first.error is not None and not _may_fail(evidence):
        name, said = type(first.error).__name__, str(first.error)[:160]
        return [Problem("failed for no reason", f"{name}: {said}")]
    samples = Counter(
        e.sample.text + e.sample.refusal for e in first.entries if e.sample is not None
    )
    spare = sum(entry.outcome == "cut" for entry in first.entries)
    rows = evidence.tally.rows[: evidence.served_to_first]
    arrived = Counter(
        text
        for row in rows
        if row.is_complete
        for text, finish in zip(row.answers, row.finishes, strict=True)
        if text or finish is not None  # else a choice that was asked for and never sent
    )
    whole = samples & arrived
    samples, arrived = samples - whole, arrived - whole
    for text in sorted(arrived.elements(), key=len):  # a text that was cut has another's beginning
        began = max(
            (t for t in samples if samples[t] and text.startswith(t)), key=len, default=None
        )
        if began is not None:
            samples[began] -= 1
        elif spare:
            spare -= 1
        else:
            return [Problem("answer lost", f"{text[-40:]!r} arrived and is no sample")]
    return []


def _may_fail(evidence: Evidence) -> bool:
    """A strategy that rests on log-probabilities or stop marks can't do without them."""
    return any(
        fault.name.startswith("refuses_") and ("logprobs" in fault.name or "stop" in fault.name)
        for fault in evidence.case.faults
    )


def _replayed(evidence: Evidence) -> list[Problem]:
    """A run that ended asks for nothing when it is run again, and says the same."""
    first, *rest = evidence.passes
    if not rest or first.result is None or first.is_killed:
        return []
    again = rest[0]
    if evidence.tally.requests != evidence.asked_by_first:
        return [Problem("asked again", "a finished run asked the server again")]
    if again.result is None:
        return [Problem("replay failed", repr(again.error)[:160])]
    was, now = first.result, again.result
    for name in ("answer", "usage", "span", "stop", "overruns"):
        if getattr(was, name) != getattr(now, name):
            said = f"{name} was {getattr(was, name)}, is {getattr(now, name)}"
            return [Problem(f"replay differs in {name}", said[:300])]
    return []


def _honest(evidence: Evidence) -> list[Problem]:
    """An honest server's figures are the account, to the token."""
    case, (first, *_), rows = evidence.case, evidence.passes, evidence.tally.rows
    if first.result is None or first.is_killed or case.habits.reports == "never":
        return []
    spent = first.account.spent
    if any(row.is_gone for row in rows) or spent.unseen_tokens:
        return []
    if not rows:
        return []
    if spent.source != "measured" and case.n_per_request == 1:
        return [Problem("honest not measured", f"source {spent.source}")]
    account = (spent.output_tokens, spent.input_tokens, spent.cached_tokens, spent.calls)
    columns = ((row.work, row.prompt, row.cached, row.asked.choices) for row in rows)
    served = tuple(map(sum, zip(*columns, strict=True)))
    if account != served:
        return [Problem("honest not exact", f"served {served}, account {account}")]
    return []
