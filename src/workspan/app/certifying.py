"""Answers at a stated risk: which can be given, and what that takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspan.app.calibrating import calibrate, calibration_plan, check_chains
from workspan.app.engines import DEFAULT_ENGINE, EngineLike
from workspan.app.problems import ProblemsLike, as_tasks, repeated
from workspan.app.replaying import each_once, limited, read_recorded, recorded_kind
from workspan.app.specs import BudgetLike, StrategyLike, as_budget, check_count, check_unasked
from workspan.batch.trials import Trial
from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.errors import InputError, MissingDependency
from workspan.store.journals import JournalFile
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Ungraded

if TYPE_CHECKING:
    from workspan.lab.certifying.certify import Certified, Wish
    from workspan.strategies.auto.fit.profile import Profile

DRAWS = 16
"""Of each problem, where a model is asked."""
BUDGET = "64k work"
"""Of each problem."""
DRAWING = "auto(probe='')"
"""Whole chains, drawn alike."""
BLOCK = 1 << 20


async def certify(
    problems: ProblemsLike | None = None,
    *,
    replay: Path | str | None = None,
    mode: str = "risk",
    alpha: float = 0.1,
    delta: float = 0.1,
    n: int | None = None,
    hopeless: float | None = None,
    correction: str = "sequence",
    seed: int = 0,
    models: Sequence[str] = (),
    tasks: Sequence[str] = (),
    effort: str | None = None,
    kind: str = "text",
    limit: int | None = None,
    engine: EngineLike = DEFAULT_ENGINE,
    budget: BudgetLike = BUDGET,
    strategy: StrategyLike = DRAWING,
    to: Path | str | None = None,
    journal: JournalFile | Path | str | None = None,
    engines: Mapping[str, Engine | str] | None = None,
    on_progress: Callable[[Trial], None] | None = None,
) -> Certified:
    """Find which answers can be given at a stated risk, and what that takes.

    Three promises. "risk": of the answers given at most alpha are wrong; rests on problems with
    right answers. "agreement": at most alpha are not what all n draws would have elected; rests on
    draws alone. "mode": each answer given is the model's most frequent one; rests on the draws of
    its own problem. Each fails to hold with probability delta at most.

    Args:
        problems: as `solve_many`; or a file of `workspan label`, with a replay the file of its
            problems.
        replay: draws that were recorded, in the place of an engine.
        mode: what is promised.
        alpha: the risk; not in mode.
        delta: the chance of a promise that does not hold.
        n: draws of a problem, at most; 16 where an engine is asked, else what was recorded.
        hopeless: chance of an answer below which a problem is given up; 0.02, and 0 never.
        correction: "sequence" of thresholds, or "bonferroni" (see `lab.certifying.certify`).
        seed: of the order of draws, and of all randomness.
        models: of a recording, those to use.
        tasks: likewise.
        effort: likewise, such as "high": needed where a model was recorded at several.
        kind: how answers are compared.
        limit: of the problems.
        engine: as `solve`.
        budget: of each problem.
        strategy: `auto`, with the dials of chains.
        to: a file to write the certificate to, for `auto(floor="risk", certificate=FILE)`; where
            nothing was certified nothing is written.
        journal: a file in which every call is kept; the same call with it resumes.
        engines: as `solve`.
        on_progress: called with each run as it is finished.

    Raises:
        MissingDependency: the extra `lab` is not installed.
        WorkspanError: what is wrong, before anything is spent; or the engine is gone.
    """
    wish = as_wish(mode, alpha, delta, n, hopeless, correction, seed, is_kept=to is not None)
    check_count("limit", limit)
    drawn: Sequence[Task] = ()
    if replay is not None:
        source = Path(str(problems)) if problems is not None else None
        check_unasked("recorded draws", journal=journal, engines=engines)
        profile = await recorded_draws(
            Path(replay), models, tasks, source, kind, effort, limit, seed
        )
    elif (labelled := labelled_draws(problems)) is not None:
        check_unasked(
            "labels of draws", journal=journal, engines=engines, limit=limit, effort=effort
        )
        profile = labelled
    elif problems is None:
        raise InputError("say on which problems: recorded ones (replay), or some to be drawn")
    elif effort is not None:
        raise InputError("effort is of recorded draws; an engine is told by its settings")
    else:
        plan = calibration_plan(strategy, (), n or DRAWS, BLOCK)
        tasks_found = as_tasks(problems, kind=kind, limit=limit, seed=seed, strategy=plan)
        drawn = to_draw(tasks_found, wish, as_budget(budget))
        profile = await calibrate(
            drawn,
            engine=engine,
            budget=budget,
            strategy=plan,
            seed=seed,
            journal=journal,
            engines=engines,
            on_progress=on_progress,
        )
    found = certified(profile, wish, drawn)
    if to is not None and found.certified:
        keep(found, wish, profile, Path(to))
    return found


def as_wish(
    mode: Any,
    alpha: float,
    delta: float,
    n: int | None,
    hopeless: float | None,
    correction: Any,
    seed: int,
    *,
    is_kept: bool,
) -> Wish:
    """Read what is to be promised, before anything is opened.

    Raises:
        MissingDependency: the extra `lab` is not installed.
        InputError: it can't be, or is to be kept in a file and needs none.
    """
    try:
        from workspan.lab.certifying.certify import Wish
    except ImportError:
        raise MissingDependency("a certificate", "lab") from None
    wish = Wish(mode, alpha, delta, n, correction=correction, seed=seed)
    wish = wish if hopeless is None else wish._replace(hopeless=hopeless)
    wish.check()
    if is_kept and mode == "mode":
        raise InputError("mode mode needs no file: auto(floor='mode', delta=...) does it by itself")
    return wish


def to_draw(tasks: Sequence[Task], wish: Wish, limits: Budget) -> list[Task]:
    """Return the problems that are worth drawing: in mode risk those with a right answer.

    Raises:
        InputError: see `check_drawn`.
    """
    check_drawn(tasks, wish, limits)
    return [task for task in tasks if wish.mode != "risk" or _is_labelled(task)]


def _is_labelled(task: Task) -> bool:
    return not isinstance(task.grader, Ungraded)


def check_drawn(tasks: Sequence[Task], wish: Wish, limits: Budget) -> None:
    """Refuse, before anything is spent, what no draws under these limits could certify.

    Raises:
        InputError: no problem has a right answer, and the mode needs them; or a problem's budget
            holds too few draws.
    """
    from workspan.lab.certifying.certify import NO_LABELS, check_mode

    if wish.mode == "risk" and not any(map(_is_labelled, tasks)):
        raise InputError(NO_LABELS)
    draws = wish.n or DRAWS
    holds = min(draws, limits.calls or draws)
    check_chains(limits, draws)
    if wish.n is not None and holds < draws:
        raise InputError(
            f"a budget of {limits} for each problem holds no {draws} draws, each of which is a "
            "call: raise --budget, or draw less"
        )
    if wish.mode == "mode":
        check_mode(holds, wish.delta)


async def recorded_draws(
    file: Path,
    models: Sequence[str],
    tasks: Sequence[str],
    problems: Path | None,
    kind: str,
    effort: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    say: Callable[[Mapping[str, str]], None] = lambda _: None,
) -> Profile:
    """Read draws that were recorded; `say` is told what was left out.

    Raises:
        InputError: nothing was recorded at the effort; or a problem was recorded several times: an
            interval that takes it for several problems is too narrow.
    """
    from workspan.lab.calibrating import calibrate as of_recordings

    found, left_out = await read_recorded(file, models, tasks, problems, recorded_kind(kind))
    say(left_out)
    return of_recordings(limited(each_once(found, effort), limit, seed))


def labelled_draws(problems: ProblemsLike | None) -> Profile | None:
    """Return the draws of a file of `workspan label`; None of anything else."""
    from workspan.lab.labelling.labels import is_labels, profile_of, read_labels

    if not isinstance(problems, str | Path) or not (path := Path(problems)).is_file():
        return None
    return profile_of(*read_labels(path), path) if is_labels(path) else None


def certified(profile: Profile, wish: Wish, drawn: Sequence[Task] = ()) -> Certified:
    """Find what can be promised; `drawn` are the problems, where their words are known.

    Raises:
        InputError: too few draws or labels.
        BudgetExceeded: the draws of all problems were cut.
    """
    from workspan.lab.certifying.certify import certify as find

    return replace(find(profile, wish), repeated=repeated(drawn), unit=profile.unit)


def keep(found: Certified, wish: Wish, profile: Profile, to: Path) -> None:
    """Write the certificate.

    Raises:
        InputError: nothing was certified.
        DataError: something else is there.
        OutputError: it can't be written.
    """
    from workspan.lab.certifying.certify import certificate_of
    from workspan.strategies.auto.fit.certificate import write_certificate

    write_certificate(certificate_of(found, wish, profile), to)
