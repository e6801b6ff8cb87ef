"""A pool of engines as the registry opens it: each member by its own written form."""

from __future__ import annotations

from pathlib import Path

from workspan.core.engine import Engine, give_back
from workspan.engines.pool import Pool
from workspan.engines.pool.file import read_pool
from workspan.registry.card import Card, carded
from workspan.spec.engines import open_engine, parse_price


@carded(
    Card(
        example="pool(file='pool.toml')",
        form="pool:FILE.toml",
        source="several upstreams of one model, in a file",
        runs=True,
    )
)
async def pool(file: str) -> Pool:
    """Open several engines as one: weights, health, limits by the minute, failover.

    The file has a table for each member. Keys stand in the environment, and the file names their
    variables.

    Raises:
        DataError: the file can't be read, or holds something else.
        WorkspanError: a member can't be opened; those that were open are closed again.
    """
    told = read_pool(Path(file))
    engines: dict[str, Engine] = {}
    try:
        for one in told.stated:
            price = parse_price(one.price) if one.price else None
            engines[one.name] = await open_engine(
                one.engine, one.model or None, price, one.settings, imports=True
            )
        places = {name: engine.info.concurrency for name, engine in engines.items()}
        return Pool(engines, told.members(places), model=told.model, sticky=told.sticky)
    except BaseException:
        for engine in engines.values():
            await give_back(engine)
        raise
