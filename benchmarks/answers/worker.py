"""Reads replies with whichever Workspan stands first on PYTHONPATH; a process of its own.

Each line of standard input is a list of requests: ["read", text, kind, finished] or
["same", a, b, kind]. The answer is a line: results, and the CPU seconds that they took.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from workspan.answers import equivalent, extract


def _one(request: list[Any]) -> str | bool | None:
    try:
        if request[0] == "read":
            return extract(request[1], request[2], finished=request[3])
        return equivalent(request[1], request[2], request[3])
    except (ValueError, KeyError, TypeError):  # a kind that this version does not have
        return None


def _main() -> None:
    for line in sys.stdin:
        requests = json.loads(line)
        start = time.process_time()
        results = [_one(request) for request in requests]
        spent = time.process_time() - start
        print(json.dumps([results, spent]), flush=True)


if __name__ == "__main__":
    _main()
