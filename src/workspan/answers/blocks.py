"""Answers of several rows: grids, boards, tables, lists of moves, brackets over several lines."""

from __future__ import annotations

import re

_BETWEEN = re.compile(r"[ \t|,]+")
_BULLET = re.compile(r"\s*(?:[-*•+]|\(?[0-9]{1,3}[.):]|[a-z][.)])\s+\S")
_ROWS = 2_000
_OPEN = {"[": "]", "{": "}", "(": ")"}


def rows_end(text: str, start: int, limit: int, *, below: bool) -> int:
    """Return where the rows that start at `start` end.

    A row belongs to the one before it when both have the same form: as many cells, the same width,
    the same first word, both items of a list. A bracket left open goes on until it closes.

    Args:
        text: with plain signs.
        start: where the first row's content starts.
        limit: where the text ends.
        below: the first row stands on a line of its own, not beside its mark.
    """
    end = _line_end(text, start, limit)
    if text[start : start + 1] in _OPEN and (closed := _bracket_end(text, start, end, limit)):
        return closed
    line = text.rfind("\n", 0, start) + 1
    first = text[line if below else start : end]
    previous, at, is_gap = first, end, False
    for _ in range(_ROWS):
        if at >= limit:
            break
        after = _line_end(text, at + 1, limit)
        row = text[at + 1 : after]
        if not row.strip():
            # Between the rows of a board nothing may stand, in spaces or without them.
            if is_gap or not _is_board(first):
                break
            is_gap = not row
        elif is_gap and not _same_board(previous, row):
            break
        elif _alike(previous, row, below=below):
            previous, end, is_gap = row, after, False
        elif _is_rule(row, first):
            end, is_gap = after, False
        else:
            break
        at = after
    return end if text[start:end].strip() else start


def _line_end(text: str, at: int, limit: int) -> int:
    end = text.find("\n", at, limit)
    return limit if end < 0 else end


def _bracket_end(text: str, start: int, line_end: int, limit: int) -> int:
    """Return where the bracket at `start` closes if that is on a later line, else 0."""
    depth = 0
    for found in re.finditer(r"[\[\](){}]", text[start : min(limit, start + 20_000)]):
        depth += 1 if found[0] in _OPEN else -1
        if depth == 0:
            end = start + found.end()
            return _line_end(text, end, limit) if end > line_end else 0
    return 0


def _is_board(row: str) -> bool:
    cells = row.split()
    return len(cells) > 1 and all(len(cell) <= 3 for cell in cells)


def _same_board(one: str, other: str) -> bool:
    """Compare rows with an empty line between them: as many cells, and no words."""
    left, right = ([cell for cell in row.split() if cell.isalnum()] for row in (one, other))
    return (
        _is_board(other)
        and len(left) == len(right) > 1
        and (
            all(len(cell) == 1 for cell in left + right)
            or (any(map(str.isdecimal, left)) and any(map(str.isdecimal, right)))
        )
    )


def _alike(one: str, other: str, *, below: bool) -> bool:
    left, right = one.split(), other.split()
    if not left or not right:
        return False
    if _BULLET.match(one) and _BULLET.match(other):
        return True
    if "|" in one and "|" in other:
        return True
    if _has_short_cells(one) and _has_short_cells(other):
        return True
    if all(map(_is_figure, left)) and all(map(_is_figure, right)):
        return below or len(left) > 1
    if len(left) == len(right) == 1:
        return _one_cell(left[0], right[0], below=below)
    return bool(left[0] == right[0] and len(left) > 2 and len(left) == len(right))


def _has_short_cells(row: str) -> bool:
    cells = _BETWEEN.split(row.strip(" \t\r|,"))
    return len(cells) > 1 and all(len(cell) <= 3 for cell in cells)


def _one_cell(one: str, other: str, *, below: bool) -> bool:
    """Compare rows without spaces: a board of signs, or a list of words below its mark."""
    if len(one) == len(other) > 2 and not (one.isalpha() and other.isalpha()):
        return True
    if len(one) == len(other) > 2 and one.isupper() and other.isupper():
        return True
    return below and one[-1].isalnum() and other[-1].isalnum()


def _is_figure(cell: str) -> bool:
    return cell.strip("-+,.;[]()").replace(".", "", 1).isdecimal()


def _is_rule(row: str, first: str) -> bool:
    """Tell a line of signs between the rows of a board: dashes, wedges, corners."""
    return not any(map(str.isalnum, row)) and (_is_board(first) or "|" in first)
