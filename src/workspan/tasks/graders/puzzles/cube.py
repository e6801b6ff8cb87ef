"""Rubik's cubes, turned by magiccube, which reasoning-gym brings."""

from __future__ import annotations

import re

from workspan.tasks.graders.puzzles.forms import Entry

_TURN = re.compile(r"\d?[UDLRFB]w?'?2?")
_MOST = 1_000


def solves_cube(answer: str, entry: Entry) -> bool:
    """Tell whether turns in Singmaster's notation solve the scrambled cube."""
    from magiccube.cube import Cube

    turns = answer.strip(' \t\r\n*_`".').replace("’", "'").split()  # a last ' is part of a turn
    if not 0 < len(turns) <= _MOST or not all(_TURN.fullmatch(turn) for turn in turns):
        return False
    meta = entry["metadata"]
    cube = Cube(meta["cube_size"])
    cube.rotate(meta["scramble_moves"])
    try:
        for turn in turns:
            cube.rotate(" ".join([turn.removesuffix("2")] * (2 if turn.endswith("2") else 1)))
    except Exception:  # noqa: BLE001  # a layer that this cube lacks, in the library's own words
        return False
    return bool(cube.is_done())


def solved_cube(entry: Entry) -> str:
    """Write the scramble backwards."""
    turns = entry["metadata"]["scramble_moves"].split()
    return " ".join(t.removesuffix("'") if t.endswith("'") else f"{t}'" for t in turns[::-1])
