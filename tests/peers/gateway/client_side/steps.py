"""Runs what a test asks of a client: a line of JSON a step in, a line with what came of it out.

Each client has a file of its own beside this one, and an environment of its own with this folder on
its path; nothing of Workspan is imported here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

Note = dict[str, Any]
"""What a step has seen so far: kept even where it then fails."""
Step = Callable[[str, str, Note], None]
"""Told the gateway's address, a model's name, and where to note."""

QUESTION = "What is 2 + 2?"
_shown: dict[str, Any] = {}
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Look it up", "parameters": WEATHER},
}


def key() -> str:
    """Return the key that this step shows the gateway."""
    told: str = _shown["key"]
    return told


def headers() -> dict[str, str]:
    """Return what this step says beside it."""
    told: dict[str, str] = _shown["headers"]
    return told


def serve(steps: Mapping[str, Step]) -> None:
    """Run steps until the test closes the line."""
    out, sys.stdout = sys.stdout, sys.stderr  # what a client prints is no answer
    for line in sys.stdin:
        told = json.loads(line)
        _shown.update(key=told["key"], headers=told["headers"])
        note: Note = {}
        try:
            steps[told["do"]](told["url"], told["model"], note)
        except Exception as error:  # noqa: BLE001  # what it is matters to the test
            note |= failed(error)
        out.write(json.dumps(note, default=str) + "\n")
        out.flush()


def failed(error: BaseException) -> Note:
    """Say an error as a program could tell it apart."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else {}
    return {
        "raised": type(error).__name__,
        "kinds": [kind.__name__ for kind in type(error).__mro__],
        "status": getattr(error, "status_code", None),
        "code": getattr(error, "code", None) or (inner or {}).get("code"),
        "message": str(error)[:600],
    }
