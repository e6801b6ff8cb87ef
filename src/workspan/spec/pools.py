"""A pool of engines as the registry opens it: each member by its own written form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workspan.errors import EngineError, EngineUnavailable, SpecError
from workspan.registry.card import Card, carded

if TYPE_CHECKING:
    from workspan.core.engine import Engine
    from workspan.engines.pool import Pool
    from workspan.engines.pool.file import Stated
    from workspan.engines.settings import Settings


@carded(
    Card(
        example="pool(file='pool.toml')",
        form="pool:FILE.toml",
        source="several upstreams of one model, in a file",
        runs=True,
    )
)
async def pool(file: str, settings: Settings | None = None) -> Pool:
    """Open several engines as one: weights, health, limits by the minute, failover.

    The file has a table for each member. Keys stand in the environment, and the file names their
    variables.

    Raises:
        SpecError: no file is named, or something is stated that the file states of each member.
        DataError: the file can't be read, or holds something else.
        WorkspanError: a member can't be opened; those that were open are closed again.
    """
    from workspan.core.engine import give_back
    from workspan.engines.pool import Pool
    from workspan.engines.pool.file import read_pool

    if not file.strip():
        raise SpecError("pool: names no file: write pool:FILE.toml, with a table for each member")
    if settings is not None and (settings.stated or settings.key):
        what = next(iter(settings.stated), "a key")
        raise SpecError(f"the file of a pool states {what} for each member: write it there")
    told = read_pool(Path(file))
    engines: dict[str, Engine] = {}
    try:
        for one in told.stated:
            engines[one.name] = await _opened(one, told.model)
        places = {name: engine.info.concurrency for name, engine in engines.items()}
        return Pool(engines, told.members(places), model=told.model, sticky=told.sticky)
    except BaseException:
        for engine in engines.values():
            await give_back(engine)
        raise


async def _opened(one: Stated, of_all: str) -> Engine:
    """Open a member. A server that is not there now is taken at the file's word.

    Args:
        one: the member.
        of_all: the model that the file says all serve; empty where it says none.

    Raises:
        WorkspanError: it can't be opened.
    """
    from workspan.spec.engines import at_word, is_away, open_engine, parse_price

    price = parse_price(one.price) if one.price else None
    try:
        return await open_engine(one.engine, one.model or None, price, one.settings, imports=True)
    except EngineError as error:
        if not is_away(one.engine, error):
            raise
        if not (model := one.model or of_all):
            raise EngineUnavailable(
                f"the member {one.name}: {error}; with its model in the file (model = …) the pool "
                "goes on without it until it is there"
            ) from None
    return at_word(one.engine, model, price, one.settings)
