"""Sequences of moves, walked through: jugs, knights, discs, buttons, paths, boxes, ladders."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from workspan.tasks.graders.puzzles.forms import Entry, bare, listed, tokens, value, words

_MOST = 5_000
"""Moves of an answer that are walked through."""
_STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
_KEYS = {"U": (-1, 0), "D": (1, 0), "L": (0, -1), "R": (0, 1)}
_DISC = re.compile(r"Move disk (\d{1,3}) from Peg (\d{1,3}) to Peg (\d{1,3})\.?", re.IGNORECASE)


def _texts(answer: str) -> list[str] | None:
    found = value(answer)
    if not isinstance(found, list) or not all(isinstance(move, str) for move in found):
        return None
    return found if 0 < len(found) <= _MOST else None


def measures(answer: str, entry: Entry) -> bool:
    """Tell whether moves of jugs leave the target in one of them."""
    puzzle, moves = entry["metadata"]["puzzle"], _texts(answer)
    sizes = puzzle["jug_capacities"]
    names = {chr(ord("A") + i): i for i in range(len(sizes))}
    held = [0] * len(sizes)
    for move in moves or ():
        found = re.fullmatch(r"(?:(fill|empty) (\w)|pour (\w) ?-> ?(\w))", move.strip())
        if found is None or not {c for c in found.groups()[1:] if c} <= names.keys():
            return False
        if found[1]:
            jug = names[found[2]]
            held[jug] = sizes[jug] if found[1] == "fill" else 0
            continue
        here, there = names[found[3]], names[found[4]]
        if here == there:
            return False
        poured = min(held[here], sizes[there] - held[there])
        held[here], held[there] = held[here] - poured, held[there] + poured
    return bool(moves) and puzzle["target"] in held


def swaps_knights(answer: str, entry: Entry) -> bool:
    """Tell whether legal moves in turn swap all knights, or "No" is said where none do."""
    meta = entry["metadata"]
    if not meta["is_possible"]:
        return words(answer).removesuffix(".").casefold() == "no"
    pieces, turn, moves = dict(meta["pieces"]), meta["start_turn"], _texts(answer)
    for move in moves or ():
        parts = [part.strip() for part in move.split(",")]
        if len(parts) != 3:
            return False
        colour, here, there = parts
        if colour != turn or pieces.get(here) != colour:
            return False
        if there not in meta["board"][here] or pieces.get(there) is not None:
            return False
        pieces[here], pieces[there] = None, colour
        turn = "B" if turn == "w" else "w"
    swapped = {"w": "B", "B": "w", None: None}
    return bool(moves) and all(pieces[at] == swapped[was] for at, was in meta["pieces"].items())


def moves_discs(answer: str, entry: Entry) -> bool:
    """Tell whether legal moves bring all discs to the target, in no more than it takes."""
    meta = entry["metadata"]
    lines = [line.strip() for line in answer.splitlines() if line.strip(" `*_")]
    pegs: dict[int, list[int]] = {peg: [] for peg in range(1, meta["num_pegs"] + 1)}
    pegs[meta["start_peg"]] = [*range(meta["num_disks"], 0, -1)]
    if not 0 < len(lines) <= meta["solution_length"]:
        return False
    for line in lines:
        found = _DISC.fullmatch(line)
        disc, here, there = map(int, found.groups()) if found else (0, 0, 0)
        if here not in pegs or there not in pegs or pegs[here][-1:] != [disc]:
            return False
        if pegs[there] and pegs[there][-1] < disc:
            return False
        pegs[there].append(pegs[here].pop())
    return bool(len(pegs[meta["target_peg"]]) == meta["num_disks"])


def presses_buttons(answer: str, entry: Entry) -> bool:
    """Tell whether a shortest sequence of buttons, each one active, reaches the target."""
    meta = entry["metadata"]
    buttons = {button["name"]: button for button in meta["buttons"]}
    pressed = re.split(r" ?(?:→|->|,| ) ?", words(answer).removesuffix("."))
    if len(pressed) != len(meta["solution_path"]):
        return False
    held, light = meta["initial_value"], meta["initial_state"]
    for name in pressed:
        button = buttons.get(name)
        if button is None:
            return False
        if button["active_state"] not in (light, "any"):
            return False
        amount = button["value"]
        steps = {"add": held + amount, "subtract": held - amount, "multiply": held * amount}
        held = steps[button["type"]]
        light = "green" if light == "red" else "red"
    return bool(held == meta["target_value"])


def finds_path(answer: str, entry: Entry) -> bool:
    """Tell whether steps go through open cells and are as few as can be, or none do."""
    right = words(entry["answer"])
    said = words(answer).removesuffix(".").casefold()
    if right == "infeasible" or said == right:
        return said == right
    steps, grid = re.split(r"[ ,]+", said), entry["metadata"]["matrix"]
    if len(steps) != len(right.split()) or any(step not in _STEPS for step in steps):
        return False
    start = next((i, row.index("*")) for i, row in enumerate(grid) if "*" in row)
    return _walk(grid, start, steps)


def _walk(grid: list[list[str]], start: tuple[int, int], steps: list[str]) -> bool:
    i, j = start
    for step in steps:
        i, j = i + _STEPS[step][0], j + _STEPS[step][1]
        if not (0 <= i < len(grid) and 0 <= j < len(grid[0])) or grid[i][j] == "X":
            return False
    return grid[i][j] == "#"


def stores_boxes(answer: str, entry: Entry) -> bool:
    """Tell whether keys, each of which moves the player, push every box onto a goal."""
    keys = words(answer).removesuffix(".").upper()
    if not re.fullmatch(rf"[UDLR]{{1,{_MOST}}}", keys):
        return False
    grid = tokens(entry["metadata"]["gamestr"])
    cells = {(i, j): sign for i, row in enumerate(grid) for j, sign in enumerate(row)}
    walls = {at for at, sign in cells.items() if sign == "+"}
    goals = {at for at, sign in cells.items() if sign in "X$%"}
    boxes = {at for at, sign in cells.items() if sign in "@$"}
    (i, j) = next(at for at, sign in cells.items() if sign in "*%")
    for key in keys:
        di, dj = _KEYS[key]
        ahead, beyond = (i + di, j + dj), (i + 2 * di, j + 2 * dj)
        if ahead in walls or (ahead in boxes and (beyond in walls or beyond in boxes)):
            return False
        if ahead in boxes:
            boxes = boxes - {ahead} | {beyond}
        i, j = ahead
    return boxes <= goals


def climbs_ladder(answer: str, entry: Entry) -> bool:
    """Tell whether words of the library's list lead from one to the other, a letter at a time."""
    meta = entry["metadata"]
    rungs = [word.upper() for word in listed(bare(answer).removesuffix("."))]
    if len(rungs) < 2 or (rungs[0], rungs[-1]) != (meta["start_word"], meta["end_word"]):
        return False
    if any(len(word) != len(rungs[0]) for word in rungs) or not set(rungs) <= _vocabulary():
        return False
    pairs = pairwise(rungs)
    return all(sum(a != b for a, b in zip(*pair, strict=True)) == 1 for pair in pairs)


@cache
def _vocabulary() -> frozenset[str]:
    """Read the words of three to five letters that the library's ladders use."""
    from reasoning_gym.data import get_data_file_path

    text = get_data_file_path("words.csv").read_text(encoding="utf-8")
    return frozenset(word.strip().upper() for word in re.split(r"[,\n]", text) if word.strip())


def is_palindrome_of(answer: str, entry: Entry) -> bool:
    """Tell whether all letters, and no others, are put into a palindrome."""
    said = words(answer).removesuffix(".").lower()
    return said == said[::-1] and sorted(said) == sorted(entry["metadata"]["letters"])
