"""Holds a gateway's answers and its store against the servers' own counts.

Nothing here is shared with the gateway: what it counts, this counts again from what the servers
decoded. What no client of a server can know is left out as in `workspan.testing.fuzz.judge.due`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from workspan.testing.faults import Habits, Served
from workspan.testing.fuzz.case import Kill
from workspan.testing.fuzz.judge import Problem, claimed, due
from workspan.testing.gateway_fuzz.case import OVERSHOOT, Ask, Case, Side
from workspan.testing.gateway_fuzz.client import Got
from workspan.testing.gateway_fuzz.drive import TARIFF, Evidence, KeyEvidence, is_of

_MONEY = Decimal(10) ** 12
_EARLY = "usage_before_end"


@dataclass(frozen=True, slots=True)
class _Gateway:
    """Who asked a server, as `due` must know it."""

    habits: Habits
    overshoot: int = OVERSHOOT
    kill: Kill | None = None


def judge(evidence: Evidence) -> list[Problem]:
    """Return every promise that the run broke."""
    problems = [Problem("bug", said) for said in evidence.bugs]
    for got in evidence.got:
        problems += _ended(evidence, got)
        problems += _true_to_its_end(evidence, got)
        problems += _within_its_budget(evidence, got)
        problems += _lost(evidence, got)
    problems += _within_minutes(evidence)
    for place, key in enumerate(evidence.keys):
        problems += _charged(evidence, key, place)
        problems += _consistent(evidence, key, place)
        problems += _freed(key)
    return list(dict.fromkeys(problems))


def _ended(evidence: Evidence, got: Got) -> Iterator[Problem]:
    """Every request has an answer or a clear error."""
    ask = got.ask
    if got.ending == "hung":
        yield Problem("hung", f"{ask.tag} had no end")
    elif got.ending == "torn" and evidence.case.trouble != "killed":
        yield Problem("torn", f"{ask.tag}: {got.status} {got.why}"[:200])
    elif got.ending in ("refused", "died"):
        error = got.error
        if not error.get("message") or not error.get("type"):
            yield Problem("unclear error", f"{ask.tag}: {got.status} {str(got.value)[:200]}")
        if error.get("code") == "bug":
            yield Problem("bug", f"{ask.tag}: {error}")
    if got.is_malformed:
        yield Problem("malformed", f"{ask.tag}: {got.status} was no JSON")
    if got.ending == "answered" and not got.choices:
        yield Problem("no choice", f"{ask.tag}: {str(got.value or got.events)[:200]}")
    if (
        evidence.case.is_honest
        and got.ending in ("refused", "died")
        and not _may_refuse(evidence.case, got)
    ):
        yield Problem("honest and refused", f"{ask.tag}: {got.status} {got.error}"[:300])


def _may_refuse(case: Case, got: Got) -> bool:
    return got.status == 429 or (case.trouble == "stopped" and got.status == 503)


def _lost(evidence: Evidence, got: Got) -> Iterator[Problem]:
    """Where one of a pool is sound, no other's trouble ends a request before its first token."""
    case, code = evidence.case, str(got.error.get("code") or "")
    is_sound = any(not side.faults and side.killed_after is None for side in case.sides)
    if case.pool is None or case.pool.is_limited or got.ask.way or not is_sound:
        return
    if case.stalls:  # its clocks are short, and end sound answers on a busy machine, too
        return
    if got.ending == "refused" and code.startswith("upstream_"):
        yield Problem("lost", f"{got.ask.tag}: {got.status} {got.error}"[:300])


def _within_minutes(evidence: Evidence) -> Iterator[Problem]:
    """No member of a pool is asked more often than it may be."""
    pool = evidence.case.pool
    most = pool.requests_per_minute if pool is not None else None
    if most is None:
        return
    for place, (tally, side) in enumerate(zip(evidence.tallies, evidence.case.sides, strict=True)):
        if not side.faults and side.killed_after is None and tally.requests > most:
            yield Problem("minute passed", f"server {place}: {tally.requests} of {most} requests")


def _rows(evidence: Evidence, ask: Ask) -> list[tuple[Served, Side]]:
    return [
        (row, side)
        for tally, side, before in zip(
            evidence.tallies, evidence.case.sides, evidence.before_probe, strict=True
        )
        for row in tally.rows[:before]
        if is_of(row, ask)
    ]


def _true_to_its_end(evidence: Evidence, got: Got) -> Iterator[Problem]:
    """What died upstream never looks finished, and no answer is asked for twice."""
    ask, rows = got.ask, _rows(evidence, got.ask)
    if ask.way:
        return
    for tally, before in zip(evidence.tallies, evidence.before_probe, strict=True):
        own = [row for row in tally.rows[:before] if is_of(row, ask)]
        if sum(row.is_call for row in own) > 1:
            yield Problem("asked twice", f"{ask.tag}: {len(own)} answers of one server")
    if got.ending != "answered" or not got.finishes:
        return
    is_cut = str(got.told.get("stop", "")).startswith("budget")
    if not is_cut and not any(row.is_complete or any(row.finishes) for row, _ in rows):
        yield Problem("looks finished", f"{ask.tag}: {got.finishes}, and no server ended an answer")


def _within_its_budget(evidence: Evidence, got: Got) -> Iterator[Problem]:
    """A request's own budget is kept, or the reply says by how much it was not."""
    ask, told = got.ask, got.told
    if ask.budget is None or not told:
        return
    over = int(told.get("overrun") or 0)
    served = sum(_due(row, side) for row, side in _rows(evidence, ask))
    for name, spent in (("told", int(told["work"])), ("served", served)):
        if spent > ask.budget + over:
            said = f"{ask.tag}: {spent} {name} of {ask.budget}, overrun {over}"
            yield Problem(f"budget passed unmarked ({name})", said)


def _due(row: Served, side: Side) -> int:
    return max(0, due(row, _Gateway(side.habits)))


def _of_key(evidence: Evidence, place: int) -> list[tuple[Served, Side]]:
    """Return what all servers served for a key, the probe left out or with it."""
    asks = [ask for ask in evidence.case.asks if ask.key == place]
    asks += [probe.ask for probe in evidence.keys[place].probes]
    return [
        (row, side)
        for tally, side in zip(evidence.tallies, evidence.case.sides, strict=True)
        for row in tally.rows
        if any(is_of(row, ask) for ask in asks)
    ]


def _charged(evidence: Evidence, key: KeyEvidence, place: int) -> Iterator[Problem]:
    """The store holds all that was served, and not more where the servers told the truth."""
    rows = [(row, side) for row, side in _of_key(evidence, place) if row.is_call]
    served = {
        "work": sum(_due(row, side) for row, side in rows),
        "calls": len(rows),
        "prefill": sum(row.prompt - row.cached for row, _ in rows),
        "cost": int(_MONEY * sum(row.cost(TARIFF, _due(row, side)) for row, side in rows)),
    }
    is_exact = all(_is_truthful(row) for row, _ in rows) and _is_plain(evidence.case)
    is_exact &= all(got.ending != "left" for got in evidence.got if got.ask.key == place)
    for name, count in served.items():
        spent, most = key.spent(name), key.most(name)
        if spent is None or most is None:
            continue
        if spent < count:
            yield Problem(f"{name} below served", f"served {count}, the store has {spent}")
        elif is_exact and spent != count:
            yield Problem(f"{name} not exact", f"served {count}, the store has {spent}")
        is_kept = is_exact or evidence.case.trouble == "killed"
        if spent > most and is_kept and evidence.case.is_honest:
            yield Problem(f"honest {name} over budget", f"{spent} of {most}")
        if count > most and count > spent:
            yield Problem(f"{name} over budget unmarked", f"{count} of {most}, spent {spent}")


def _is_plain(case: Case) -> bool:
    """Nothing that came can be read in two ways, and nobody died who knew it."""
    return case.trouble != "killed" and all(
        fault.keeps for side in case.sides for fault in side.faults
    )


def _is_truthful(row: Served) -> bool:
    """It ended well, and its last word on usage was all of the truth.

    Where that came before several choices had ended, a client must allow for a token at each end.
    """
    if row.is_gone or not row.is_complete or row.unreported or not row.reports:
        return False
    if _EARLY in row.faults and row.asked.choices > 1 and "stop" in row.finishes:
        return False
    report = row.reports[-1]
    details = report.get("prompt_tokens_details") if isinstance(report, dict) else None
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return (
        claimed(row) == row.work
        and isinstance(report, dict)
        and type(report.get("prompt_tokens")) is int
        and report["prompt_tokens"] == row.prompt
        and cached == row.cached
        and report.get("total_tokens") == row.prompt + row.work
        and report.get("cost") is None
        and row.told <= row.work
    )


def _consistent(evidence: Evidence, key: KeyEvidence, place: int) -> Iterator[Problem]:
    """One row a request, and together they are what the key has spent."""
    asked = sum(got.ask.key == place for got in evidence.got) + len(key.probes)
    ids = [row.id for row in key.rows if row.route != "lost"]
    if len(set(ids)) != len(ids) or len(ids) > asked:
        yield Problem("rows", f"{len(ids)} rows of {asked} requests")
    for name in ("work", "calls", "prefill"):
        spent, held = key.spent(name), sum(getattr(row, name) for row in key.rows)
        if spent is not None and spent != held:
            yield Problem(f"rows differ in {name}", f"the rows hold {held}, the budget {spent}")
    costs = [row.cost or 0 for row in key.rows]
    spent = key.spent("cost")
    if spent is not None and not 0 <= spent - sum(costs) <= 64 * len(costs):
        yield Problem("rows differ in cost", f"the rows hold {sum(costs)}, the budget {spent}")


def _freed(key: KeyEvidence) -> Iterator[Problem]:
    """Nothing stays held: one more request could use all that was left."""
    for one in key.usage.spendings:
        if one.held:
            yield Problem("held", f"{one.held} of {one.limit} are held for nobody")
    probe = key.probe
    if probe is None:
        return
    if probe.ending != "answered":
        said = f"{key.left} were left, and a request for them had {probe.status} {probe.error}"
        yield Problem("not usable", said[:300])
    elif key.spent("work") != key.most("work"):
        said = f"{key.left} were left, and with them spent is {key.spent('work')}"
        yield Problem("not all usable", f"{said} of {key.most('work')}")
