"""What a command costs as a whole process: CPU seconds and peak memory, beside an earlier build.

`workspan --help`, and `workspan solve` with one call to a server on loopback. Each measurement is a
fresh process, both builds take turns within a round, and the first round is thrown away. The clock
on the wall is not looked at, so a busy machine changes little. Run with
``python -m benchmarks.one_call --before CHECKOUT``, a checkout of the other build, in an
environment that has what both need; ``--output FILE`` for JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.http_clients import ROOT, loopback_server
from benchmarks.paired import ratio

QUESTION = "What is 17 + 25?"

_SPAWNER = """
import os, sys
own = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(own, 0)
os.write(int(sys.argv[1]), f"{usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}".encode())
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Linux counts the peak of who spawns a process as the process's own: so this does, which is small
(a bare Python, 10 MiB), and not a benchmark that has loaded half of the packages."""


class Cost(NamedTuple):
    """Of one process."""

    cpu: float
    """Seconds, of user and system."""
    memory: float
    """MiB, at its peak."""


def commands(url: str) -> dict[str, list[str]]:
    """Return what is measured, by name."""
    solve = ["solve", QUESTION, "--kind", "number", "--engine", url, "--model", "simulated"]
    return {"help": ["--help"], "solve": solve, "solve --json": [*solve, "--json"]}


def measured(checkout: Path, arguments: list[str]) -> Cost:
    """Run a command of a build to its end."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "workspan", *arguments]
    read, write = os.pipe()
    with os.fdopen(read) as costs:
        spawner = [sys.executable, "-I", "-S", "-c", _SPAWNER, str(write), *command]
        done = subprocess.run(spawner, env=environment, capture_output=True, pass_fds=(write,))
        os.close(write)
        told = costs.read().split()
    if done.returncode or not done.stdout:
        raise SystemExit(f"{command} in {checkout} failed: {done.stderr.decode()}")
    return Cost(float(told[0]), int(told[1]) / 1024)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--command", action="append", choices=[*commands("")], help="all of them")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    builds = (ROOT, asked.before.resolve())
    rows = []
    with loopback_server() as url:
        for name in asked.command or commands(url):
            arguments = commands(url)[name]
            found: dict[Path, list[Cost]] = {build: [] for build in builds}
            for round_ in range(asked.rounds + 1):
                for build in builds if round_ % 2 else reversed(builds):
                    found[build].append(measured(build, arguments))
            now, before = (list(zip(*found[build][1:], strict=True)) for build in builds)
            for what, ours, theirs in zip(Cost._fields, now, before, strict=True):
                told = ratio(ours, theirs)
                rows.append({"command": name, "what": what, **vars_of(told)})
                mean = sum(ours) / len(ours)
                print(f"{name:14} {what:7} {mean:8.3f}  {told} of the build before", flush=True)
    if asked.output:
        asked.output.write_text(json.dumps(rows, indent=1) + "\n")


def vars_of(told: object) -> dict[str, float]:
    """Return a ratio's fields, which has slots."""
    return {name: getattr(told, name) for name in ("value", "low", "high")}


if __name__ == "__main__":
    main()
