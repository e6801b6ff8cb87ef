"""A sweep, from its file to its cells in a store: engines opened, problems loaded, priced, run."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from workspan import tasks as task_sets
from workspan.app.clustering import HERE, check_same, check_where, workers_on
from workspan.app.engines import Opened
from workspan.app.state import private_files, state_folder
from workspan.batch.compare import PARALLEL
from workspan.boundary.secret import key_in
from workspan.cluster.told import EngineFactory, Engines, LaneName
from workspan.core.engine import Engine
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import AnswerKind
from workspan.engines.settings import Settings
from workspan.errors import InputError, JournalInUse, MissingDependency, SpecError
from workspan.lab.estimating import Estimate, Need, estimate, slowest
from workspan.lab.sweeping.cell import Cell, problems_digest, sweep_digest
from workspan.lab.sweeping.driving import Point, Progress, bound
from workspan.lab.sweeping.driving import sweep as run_sweep
from workspan.lab.sweeping.here import Here, Lane
from workspan.lab.sweeping.nested import families
from workspan.lab.sweeping.outcome import FINAL, CellRow
from workspan.lab.sweeping.results import Results
from workspan.lab.sweeping.written import EngineText, Sweep, read_sweep
from workspan.runner import check
from workspan.spec import engines as engine_spec
from workspan.spec import write
from workspan.spec.engines import parse_price
from workspan.store.database import database_at, opened_database
from workspan.strategies.adaptive.ladder import check_effort
from workspan.tasks.base import Task
from workspan.tasks.files import sampled
from workspan.tasks.graders.own import graded_by, own_grader

PRICED_ON = 2
"""Problems of each task that a sweep is priced on before it runs; a dry run takes more."""


@dataclass(frozen=True)
class Planned:
    """A sweep with all that its cells are run with, open."""

    sweep: Sweep
    lanes: Mapping[tuple[str, str], Lane]
    points: tuple[Point, ...]

    @property
    def id(self) -> str:
        """The sweep's own id: of its name and its cells."""
        return sweep_digest(self.sweep.name, [point.cell for point in self.points])

    @property
    def shared(self) -> int:
        """Cells that share the draws of a larger one, where nothing keeps them from it."""
        return len(self.points) - len(families(point.cell for point in self.points))

    @property
    def runs(self) -> int:
        """One strategy on one problem each."""
        return sum(point.problems for point in self.points)


@dataclass(frozen=True, slots=True)
class Priced:
    """What the cells of one engine, task and budget will take."""

    engine: str
    task: str
    effort: str
    seeds: int
    estimate: Estimate
    """Of the strategies that draw: the others share."""

    @property
    def total(self) -> Need:
        """All its strategies and seeds together."""
        need = self.estimate.total
        for _ in range(self.seeds - 1):
            need += self.estimate.total
        return need


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep that ran to its end, or as far as its budget and its engines went."""

    id: str
    cells: Sequence[CellRow] = field(repr=False)

    @property
    def unfinished(self) -> list[CellRow]:
        """Cells without a grade for every problem; the same sweep again tries them anew."""
        return [row for row in self.cells if row.status not in FINAL]


async def sweep(
    file: Sweep | Path | str,
    store: str,
    *,
    limit: int | None = None,
    on: str = HERE,
    workers: int | None = None,
    journals: Path | str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Swept:
    """Run a sweep and keep its cells in a store; cells that are there are not run again.

    Args:
        file: a sweep, or the TOML file of one.
        store: a file of SQLite, or ``postgresql://…``.
        limit: problems of each task, in place of the file's.
        on: what runs the cells: "here", "ray", or the address of a cluster of Ray.
        workers: on Ray, as many; as many as it has processors where None.
        journals: the folder of the calls; the user's state folder by default.
        on_progress: called after each run.

    Raises:
        WorkspanError: what is wrong, before anything is spent; or the store or a journal failed:
            what was finished is kept.
    """
    asked = _read(file, limit)
    await check_store(store)
    async with planned(asked) as ready, opened_results(store) as results:
        return await run_planned(
            ready,
            results,
            on=on,
            workers=workers,
            journals=journals,
            store=store,
            on_progress=on_progress,
        )


async def run_planned(
    ready: Planned,
    results: Results,
    *,
    store: str,
    on: str = HERE,
    workers: int | None = None,
    journals: Path | str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Swept:
    """Run a sweep whose engines are open."""
    folder = Path(journals) if journals is not None else journals_of(store)
    with private_files(), alone(folder, ready.id):
        async with executing(on, ready, folder, workers) as executor:
            rows = await run_sweep(
                ready.sweep.name,
                ready.points,
                results,
                executor,
                total=ready.sweep.total,
                on_progress=on_progress,
            )
    return Swept(ready.id, rows)


@asynccontextmanager
async def executing(
    on: str, ready: Planned, folder: Path, workers: int | None = None
) -> AsyncIterator[Here]:
    """Give what runs the cells, for as long as the block runs.

    Raises:
        MissingDependency: it is not installed.
        InputError: it is none.
    """
    async with AsyncExitStack() as stack:
        asked = {name: lane for name, lane in ready.lanes.items() if lane.recording is None}
        check_where(on, workers)
        if on == HERE or not asked:
            executor = Here(ready.lanes, folder)
        else:
            stated = {one.name: one for one in ready.sweep.engines}
            factories: dict[LaneName, EngineFactory] = {
                (name, effort): LaneFactory(stated[name], effort, lane.identity)
                for (name, effort), lane in asked.items()
            }
            places = sum(min(PARALLEL, lane.engine.info.concurrency) for lane in asked.values())
            pool = await stack.enter_async_context(workers_on(on, factories, workers, places))
            away = {name: pool.away(name) for name in asked}
            executor = Here(ready.lanes, folder, away, pool.workers)
        stack.callback(executor.aclose)
        yield executor


@dataclass(frozen=True)
class LaneFactory:
    """How a worker opens the engines of a sweep at an effort; keys are in its own environment."""

    stated: EngineText
    effort: str
    identity: str
    """What they must be: the cells' key rests on it."""

    async def open(self) -> Engines:
        """Open them.

        Raises:
            WorkspanError: they can't be, or are others than here.
        """
        async with AsyncExitStack() as stack:
            found = await _engines(self.stated, self.effort, stack, is_dry=False)
            check_same(found.identity, self.identity)
            stack.pop_all()  # the worker closes them
        return Engines(found.engine, found.engines)


@asynccontextmanager
async def planned(sweep: Sweep, *, is_dry: bool = False) -> AsyncIterator[Planned]:
    """Open the engines and load the problems of a sweep for as long as the block runs.

    Every strategy is held against every engine and budget: nothing was asked yet. Where it is dry
    no key is needed, and no server need be there: nothing is going to be.

    Raises:
        WorkspanError: what does not fit, or is not there.
    """
    lanes: dict[tuple[str, str], Lane] = {}
    points: list[Point] = []
    loaded: dict[str, list[Task]] = {}
    async with AsyncExitStack() as stack:
        for stated in sweep.engines:
            for effort in stated.efforts:
                lane = await _lane(sweep, stated, effort, loaded, stack, is_dry=is_dry)
                lanes[stated.name, effort] = lane
                points += _points(sweep, stated, effort, lane)
        yield Planned(sweep, lanes, tuple(points))


async def price(ready: Planned, *, tried: int = PRICED_ON) -> list[Priced]:
    """Say what a sweep will take, on simulated models; nothing that costs money is asked.

    Cells that share draws are priced once, at the largest. What the store has already is not
    looked up.
    """
    found = []
    for stated in ready.sweep.engines:
        for effort in stated.efforts:
            lane = ready.lanes[stated.name, effort]
            if lane.recording is not None:
                continue
            first = next(iter(lane.tasks.values()))[0].problem
            speed = await slowest([lane.engine, *lane.engines.values()], first)
            for name, tasks in lane.tasks.items():
                for budget in ready.sweep.budgets:
                    made = await estimate(
                        _drawing(ready.sweep.strategies, budget),
                        [task.problem for task in tasks],
                        lane.engine,
                        budget=budget,
                        speed=speed,
                        engines=lane.engines,
                        sampled=tried,
                    )
                    found.append(Priced(stated.name, name, effort, len(ready.sweep.seeds), made))
    return found


def problems_of(sweep: Sweep, stated: EngineText, name: str, limit: int) -> list[Task]:
    """Return the first problems of one task of an engine, as cells on so many were run.

    Raises:
        WorkspanError: they are not there.
    """
    if stated.recording:
        return [*_recorded_lane(sweep.with_limit(limit), stated, "").tasks.get(name, ())]
    return _graded(task_sets.open_tasks(name, imports=True).load(limit, 0), sweep.grader)


@asynccontextmanager
async def opened_results(store: str, *, is_made: bool = True) -> AsyncIterator[Results]:
    """Open the results of a store for as long as the block runs.

    Raises:
        InputError: there is no such file, and it is not to be made.
        StoreError: it can't be used.
    """
    made_by = "workspan sweep"
    async with opened_database(store, made_by=made_by, is_made=is_made) as database:
        yield Results(database)


async def check_store(store: str) -> None:
    """Refuse what can be no store before models are opened for it; none is made.

    Raises:
        InputError: it is something else, and was left as it is.
        StoreError: it can't be used.
    """
    if database_at(store).is_there:
        async with opened_results(store):
            pass


def journals_of(store: str) -> Path:
    """Return where the calls of a store's cells are kept: beside a file, else with this user."""
    if "://" not in store:
        return Path(f"{store}.calls")
    told = hashlib.blake2b(store.encode(), digest_size=6).hexdigest()
    return state_folder() / f"sweeps-{told}"


def _read(file: Sweep | Path | str, limit: int | None) -> Sweep:
    sweep = file if isinstance(file, Sweep) else read_sweep(file)
    return sweep.with_limit(limit)


async def _lane(
    sweep: Sweep,
    stated: EngineText,
    effort: str,
    loaded: dict[str, list[Task]],
    stack: AsyncExitStack,
    *,
    is_dry: bool,
) -> Lane:
    """Open an engine at an effort, with its problems."""
    if stated.recording:
        return _recorded_lane(sweep, stated, effort)
    opened = await _engines(stated, effort, stack, is_dry=is_dry)
    for name in stated.tasks:
        if name not in loaded:
            loaded[name] = problems_of(sweep, stated, name, sweep.limit)
    tasks = {name: loaded[name] for name in stated.tasks}
    return Lane(opened.engine, opened.engines, opened.identity, tasks)


async def _engines(
    stated: EngineText, effort: str, stack: AsyncExitStack, *, is_dry: bool
) -> Opened:
    """Open what was stated, at an effort that its model takes."""
    told = {**stated.settings, **({"effort": effort} if effort else {})}
    settings = Settings(told, _key(stated, is_dry=is_dry))
    rate = parse_price(stated.price) if stated.price else None
    engine = await _opened(
        stated.engine, stated.model or None, rate, settings, stack, is_dry=is_dry
    )
    try:
        check_effort(effort, engine.info)
    except SpecError as error:
        raise SpecError(f"{stated.name}: {error}") from None
    further: dict[str, Engine] = {}
    for name, text in stated.further.items():
        further[name] = await _opened(text, None, None, Settings(), stack, is_dry=is_dry)
    return Opened(engine, further, drawn={"": settings.drawn})


async def _opened(
    text: str,
    model: str | None,
    rate: Any,
    settings: Settings,
    stack: AsyncExitStack,
    *,
    is_dry: bool,
) -> Engine:
    open_one = engine_spec.open_unasked if is_dry else engine_spec.open_engine
    engine = await open_one(text, model, rate, settings, imports=True)
    stack.push_async_callback(engine.aclose)
    return engine


def _recorded_lane(sweep: Sweep, stated: EngineText, effort: str) -> Lane:
    try:
        from workspan.lab.sweeping.recorded import Recorded, hash_of
    except ImportError:
        raise MissingDependency("a sweep of recorded chains", "lab") from None
    from workspan.app.replaying import recorded_kind
    from workspan.recordings.parquet import read_chains

    if effort:
        raise InputError(f"{stated.name} is a recording: it has no effort to choose")
    kind: AnswerKind = recorded_kind(stated.kind)
    recording = read_chains(stated.recording, stated.model, stated.tasks, kind=kind)
    one = Recorded(recording)
    tasks = {name: sampled(many, sweep.limit, 0) for name, many in one.tasks().items()}
    engine = one.all_chains()
    identity = f"replay {recording.name} {hash_of(recording)}"
    return Lane(engine, {}, identity, tasks, one)


def _graded(tasks: list[Task], grader: str) -> list[Task]:
    return graded_by(tasks, own_grader(grader)) if grader else tasks


def _key(stated: EngineText, *, is_dry: bool) -> str | None:
    """Read an engine's key from the variable that the file names; the file holds none.

    Raises:
        InputError: there is no such variable, and it is needed.
    """
    if not stated.key_env:
        return None
    try:
        return key_in(stated.key_env)
    except InputError as error:
        if is_dry:
            return ""
        raise InputError(f"{stated.name}: {error}") from None


def _points(sweep: Sweep, stated: EngineText, effort: str, lane: Lane) -> list[Point]:
    """Cross an engine with all that the sweep has, each held against what it can do."""
    found = []
    prices = tuple(one.info.price for one in (lane.engine, *lane.engines.values()))
    for name, tasks in lane.tasks.items():
        digest = problems_digest(tasks)
        for budget in sweep.budgets:
            for strategy in _fitting(sweep.strategies, lane):
                check(strategy, lane.engine, budget, lane.engines)
                for seed in sweep.seeds:
                    cell = Cell(
                        engine=stated.name,
                        identity=lane.identity,
                        model=lane.engine.info.model,
                        task=name,
                        problems=digest,
                        strategy=write(strategy),
                        budget=str(budget),
                        effort=effort,
                        seed=seed,
                    )
                    point = Point(cell, len(tasks), prices)
                    bound(point, sweep.total)
                    found.append(point)
    return found


def _fitting(strategies: Sequence[Strategy], lane: Lane) -> list[Strategy]:
    """Let recorded chains run to their end where no cap was chosen."""
    if lane.recording is None:
        return [*strategies]
    longest = lane.recording.recording.longest
    return [_uncapped(one, longest) for one in strategies]


def _uncapped(strategy: Any, longest: int) -> Strategy:
    own = next((item for item in fields(strategy) if item.name == "max_tokens"), None)
    is_default = own is not None and strategy.max_tokens == own.default
    found: Strategy = replace(strategy, max_tokens=longest) if is_default else strategy
    return found


def _drawing(strategies: Sequence[Strategy], budget: Budget) -> list[Strategy]:
    """Leave out those that share the draws of another."""
    cells = [
        Cell("", "", "", "", "", write(strategy), str(budget), "", 0) for strategy in strategies
    ]
    kept = {one.largest.strategy for one in families(cells)}
    return [strategy for strategy in strategies if write(strategy) in kept]


@contextmanager
def alone(folder: Path, sweep: str) -> Iterator[None]:
    """Hold a sweep for this process: two would not know of one another's spending.

    Raises:
        JournalInUse: another one runs it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{sweep}.lock"
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalInUse(
                f"another process runs the sweep {sweep} here: once it has ended, the same command "
                "goes on from there"
            ) from None
        yield
    finally:
        os.close(file)
