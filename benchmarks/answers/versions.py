"""Two versions of Workspan side by side, each in a process of its own."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from benchmarks.paired import Ratio, ratio

_HERE = Path(__file__).resolve().parents[2]


class Version:
    """A running reader of one source tree."""

    def __init__(self, tree: Path) -> None:
        """Start the worker with `tree`/src first on its path.

        Raises:
            FileNotFoundError: `tree` is no source tree; another installed version would be read
                in its place.
        """
        if not (tree / "src/workspan/answers").is_dir():
            raise FileNotFoundError(f"no Workspan source tree: {tree}")
        path = os.pathsep.join((str(tree / "src"), str(_HERE)))
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.answers.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def ask(self, requests: list[list[Any]]) -> tuple[list[Any], float]:
        """Return the results of the requests and the CPU seconds they took."""
        assert self._worker.stdin
        assert self._worker.stdout
        self._worker.stdin.write(json.dumps(requests) + "\n")
        self._worker.stdin.flush()
        results, spent = cast(list[Any], json.loads(self._worker.stdout.readline()))
        return results, spent

    def close(self) -> None:
        """End the worker."""
        assert self._worker.stdin
        self._worker.stdin.close()
        self._worker.wait()


def speed(
    old: Path, new: Path, texts: list[tuple[str, str]], rounds: int
) -> tuple[Ratio, float, float]:
    """Read the same replies with both, turn by turn.

    Args:
        old: source tree of the version to beat.
        new: source tree of the version measured.
        texts: replies and their kinds.
        rounds: paired rounds.

    Returns:
        CPU seconds of the old over those of the new, and each one's microseconds a reply.
    """
    requests = [["read", text, kind, True] for text, kind in texts]
    before, after = Version(old), Version(new)
    taken: dict[str, list[float]] = {"old": [], "new": []}
    before.ask(requests[:200])
    after.ask(requests[:200])
    for turn in range(rounds):
        pair = [("old", before), ("new", after)]
        for name, version in pair if turn % 2 else reversed(pair):
            taken[name].append(version.ask(requests)[1])
    before.close()
    after.close()
    each = [1e6 * sum(taken[name]) / rounds / len(requests) for name in ("old", "new")]
    return ratio(taken["old"], taken["new"]), each[0], each[1]


def hostile(size: int = 100_000) -> dict[str, str]:
    """Return replies of `size` characters that make careless readers slow."""
    units = {
        "open braces": "{", "boxes": "\\boxed{", "nested fractions": "\\frac{1}{", "dollars": "$",
        "digits": "7", "digits and commas": "1,", "digits and points": "1.", "spaces": " ",
        "marks": "Answer: ", "marks on lines": "Answer:\n", "thoughts": "<think>", "thoughts closed": "<think></think>",
        "fences": "```\n", "fences of code": "```python\nx\n", "stars": "*", "minus": "-", "parens": "(",
        "brackets": "[", "json": '{"a":', "json lists": "[[1],", "strings": '"', "tags": "<answer>",
        "retracted": "Wait, no. The answer is 4. ", "letters": "A or B ", "powers": "2^", "backslashes": "\\",
        "words": "one hundred and ", "bars": "| 1 |", "newlines": "\n", "equals": "=1", "carets": "^{",
        "hashes": "#### 1\n", "quotes": "> ", "lists": "- 1\n", "semicolons": "1;", "slashes": "1/", "superscripts": "²",
        "mixed": "1 1/2 ", "matrix": "\\begin{pmatrix}1\\\\", "times": "\\times 10^", "repeat": "0.\\overline{3}",
        "ratio": "1:", "percent": "%", "left": "\\left(", "sqrt": "\\sqrt{", "question": "Question: x\n", "choices": "(A) (B) ",
        "boards": "1 2\n\n", "factorials": "5!/", "matrices": "$\\begin{pmatrix}\n1 & ", "parameters": "<tool_call><function=f><parameter=x>",
        "courtesies": "let me know 1\n", "outputs": "<output>", "turns in strings": '"</s>', "problems": "answer: 1\n### problem 2 ", "shares": "1 in 3 ",
        "solutions": "x = 1 or ", "formulas": "$1$ and ", "dots": ".", "tildes": "~", "exclamations": "!",
        "questions": "?", "ticks": "`", "tabs": "\t", "spaced dots": ". ", "words with dots": "x.", "escapes": '"\\',
        "underscores": "_", "ats": "@", "colons": ":", "spaced stars": "* ", "rules": "---\n", "bullets": "- \n",
    }  # fmt: skip
    return {name: (unit * (size // len(unit) + 1))[:size] for name, unit in units.items()}


def slowest(tree: Path, kinds: tuple[str, ...]) -> list[tuple[float, str, str]]:
    """Return CPU seconds of every hostile reply in every kind, the slowest first."""
    version = Version(tree)
    taken = []
    for name, text in hostile().items():
        for kind in kinds:
            for shape, reply in (
                ("alone", text),
                ("after a mark", f"Answer: {text}"[: len(text)]),
                ("after a mark, with an end", f"Answer: {text}x"[: len(text) + 9]),
                ("below a mark", f"Answer:\n{text}\nx"[: len(text) + 10]),
                ("in a box", f"\\boxed{{{text}}}"),
                ("in JSON", f'{{"answer": "{text}"}}'),
                ("in a tag", f"<answer>{text}</answer>"),
                ("before one", text[:-11] + "\nAnswer: 42"),
            ):
                for finished in (True, False):
                    spent = min(version.ask([["read", reply, kind, finished]])[1] for _ in range(1))
                    if spent > 0.05:
                        spent = min(spent, version.ask([["read", reply, kind, finished]])[1])
                    taken.append(
                        (spent, kind, f"{name}, {shape}, {'finished' if finished else 'cut'}")
                    )
    version.close()
    return sorted(taken, reverse=True)
