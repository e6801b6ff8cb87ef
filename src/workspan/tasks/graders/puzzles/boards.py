"""Boards and maps with more than one right filling: queens, weighted sums, colours."""

from __future__ import annotations

import json

from workspan.tasks.graders.puzzles.forms import Entry, tokens, value, whole_numbers


def keeps_queens_apart(answer: str, entry: Entry) -> bool:
    """Tell whether a board keeps the queens it was given, has n, and no two attack."""
    board, given = tokens(answer), entry["metadata"]["puzzle"]
    n = len(given)
    if len(board) == n:  # underscores at the ends pass for emphasis, and may be read away
        board[0] = ["_"] * (n - len(board[0])) + board[0]
        board[-1] = board[-1] + ["_"] * (n - len(board[-1]))
    if len(board) != n or any(len(row) != n or set(row) - {"_", "Q"} for row in board):
        return False
    queens = [(i, j) for i, row in enumerate(board) for j, cell in enumerate(row) if cell == "Q"]
    if any(given[i][j] == "Q" and board[i][j] != "Q" for i in range(n) for j in range(n)):
        return False
    lines = ([i for i, _ in queens], [j for _, j in queens])
    diagonals = ([i + j for i, j in queens], [i - j for i, j in queens])
    return len(queens) == n and all(len(set(line)) == n for line in (*lines, *diagonals))


def meets_weighted_sums(answer: str, entry: Entry) -> bool:
    """Tell whether a board of 0 and 1 has the sums of places that its rows and columns ask."""
    meta, board = entry["metadata"], whole_numbers(answer)
    rows, columns = meta["n_rows"], meta["n_cols"]
    if board is None or len(board) != rows or any(len(row) != columns for row in board):
        return False
    if any(cell not in (0, 1) for row in board for cell in row):
        return False
    by_row = [sum(j * cell for j, cell in enumerate(row, 1)) for row in board]
    by_column = [sum(i * row[j] for i, row in enumerate(board, 1)) for j in range(columns)]
    return by_row == list(meta["row_sums"]) and by_column == list(meta["col_sums"])


def fills_sums(answer: str, entry: Entry) -> bool:
    """Tell whether a board keeps its numbers, uses the candidates and adds up both ways."""
    meta, board = entry["metadata"], whole_numbers(answer)
    given, n = meta["puzzle"], len(meta["puzzle"])
    if board is None or len(board) != n or any(len(row) != n for row in board):
        return False
    cells = [(i, j) for i in range(n) for j in range(n)]
    if any(given[i][j] and given[i][j] != board[i][j] for i, j in cells):
        return False
    filled = sorted(board[i][j] for i, j in cells if not given[i][j])
    if filled != sorted(meta["candidate_numbers"]):
        return False
    columns = [list(column) for column in zip(*board, strict=True)]
    return all(sum(line[:-1]) == line[-1] for line in (*board, *columns))


def colours_apart(answer: str, entry: Entry) -> bool:
    """Tell whether each vertex has a colour that is on offer and no neighbour shares."""
    puzzle, found = entry["metadata"]["puzzle"], value(answer)
    if not isinstance(found, dict):
        return False
    colours = {str(vertex): colour for vertex, colour in found.items()}
    if len(colours) != len(found) or colours.keys() != set(map(str, puzzle["vertices"])):
        return False
    if any(type(c) is not int or c not in puzzle["color_options"] for c in colours.values()):
        return False
    return all(colours[str(a)] != colours[str(b)] for a, b in puzzle["edges"])


def coloured(entry: Entry) -> str:
    """Write the colouring that the entry knows, as the prompt asks."""
    known = entry["metadata"]["possible_answer"]
    return json.dumps({str(vertex): colour for vertex, colour in known.items()})
