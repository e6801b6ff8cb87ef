"""What Workspan costs on top of HTTP, beside its-hub, optillm and a bare loop on one server.

Two questions. How many seconds of wall and CPU time does a call take, 64 and 512 at a time, against
a server that answers at once? And how many call-latencies does best-of-n take, n = 8 with a judge,
when each call takes 250 ms? Every measurement is a fresh process, the server is another; clients
take turns within a round and the order rotates, so that ratios are paired under equal load.

Run with ``python -m benchmarks.overhead``; ``--smoke`` for a small run, ``--output FILE`` for JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.http_clients import ROOT, TEXT, loopback_server
from benchmarks.paired import ratio

from workspan.testing.environments import OPTILLM, OPTILLM_NEEDS, environment

LATENCY = 0.25
"""Seconds a call in the best-of-n part."""
BEST_TEXT = '{"score": 7}'
"""An answer that every judge can read."""
CALLERS = (
    "bare", "bare-tight", "bare-whole", "workspan", "workspan-journal", "its-hub", "optillm",
)  # fmt: skip
ENSEMBLES = ("workspan-best", "its-hub-best", "optillm-best")
ITS_HUB = ("its_hub[lm]==1.2.0",)
OPTILLM_ROUNDS = (1, 2)
"""A wave of 512 takes it half a minute: each call makes a TLS context."""
NOTES = (
    "optillm 0.4.0 is installed without its dependencies (7 GB, torch among them); only what its "
    "server and the none and bon approaches import is there, openai before version 3. It is asked "
    "through its own server, as it is used, with a longer queue of connections than it has. CPU is "
    "the server's own, the load's is not counted. It is slow: 1 wave a round, 2 rounds at most.",
    "bare: aiohttp, streaming, a line at a time, json from the standard library. bare-tight: whole "
    "reads and msgspec. bare-whole: not streamed, as its-hub and optillm ask.",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One client's result."""

    client: str
    width: int
    wall_ms: float
    """Median over rounds, a call (best-of-n: a question)."""
    cpu_ms: float
    wall_over_bare: str = ""
    cpu_over_bare: str = ""
    latencies: float | None = None


@dataclass(slots=True)
class Measurement:
    """The interpreters of all clients, and what has been measured."""

    python: dict[str, Path]
    taken: dict[tuple[str, int], list[dict[str, float]]]

    def round(self, clients: Sequence[str], url: str, width: int, waves: int, turn: int) -> None:
        """Measure every client once, beginning with another one each turn."""
        start = turn % max(1, len(clients))
        for client in (*clients[start:], *clients[:start]):
            if client == "optillm" and turn not in OPTILLM_ROUNDS:
                continue
            measured = self.measure(client, url, width, waves)
            if turn:  # the first round warms caches
                self.taken.setdefault((client, width), []).append(measured)
            print(f"  {client:17} {1000 * measured['wall']:8.2f} ms", file=sys.stderr)

    def measure(self, client: str, url: str, width: int, waves: int) -> dict[str, float]:
        """Run one client in a process of its own; optillm in two, its server and the load."""
        if not client.startswith("optillm"):
            return self._run(client, url, width, waves)
        with optillm_server(self.python["optillm"], url, width) as (process, address):
            waves = 4 if client.endswith("-best") else 1
            before = cpu_seconds(process.pid)
            measured = self._run(client, address, width, waves)
            asked = (waves + 1) * (1 if client.endswith("-best") else width)
            measured["cpu"] = (cpu_seconds(process.pid) - before) / asked
            return measured

    def _run(self, client: str, url: str, width: int, waves: int) -> dict[str, float]:
        python = self.python["its-hub" if client.startswith("its-hub") else "workspan"]
        command = [str(python), "-m", "benchmarks.overhead_clients", client, url]
        command += ["--width", str(width), "--waves", str(waves)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        if done.returncode:
            raise SystemExit(f"{client} failed:\n{done.stderr[-2000:]}")
        measured: dict[str, float] = json.loads(done.stdout)
        return measured


@contextmanager
def optillm_server(
    python: Path, upstream: str, width: int
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run optillm's own server before `upstream` and give its process and address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = (  # Flask's server keeps 128 waiting connections and resets the others
        "import werkzeug.serving as w; w.BaseWSGIServer.request_queue_size = 2048; "
        "import optillm; optillm.main()"
    )
    command = [str(python), "-c", code, "--port", str(port), "--base-url", upstream]
    command += ["--log", "error", "--best-of-n", str(width)]
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "OPENAI_API_KEY": "none", "HOME": folder}
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, cwd=folder)
            try:
                wait_for(port, process)
                yield process, f"http://127.0.0.1:{port}/v1"
            finally:
                process.kill()
                process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Wait until somebody listens."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit("optillm's server did not start")


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows(measurement: Measurement) -> list[Row]:
    """Put medians, and ratios to the bare loop of the same width, into rows."""
    made = []
    for (client, width), runs in measurement.taken.items():
        wall, cpu = [run["wall"] for run in runs], [run["cpu"] for run in runs]
        wall_over = cpu_over = ""
        bare = measurement.taken.get(("bare", width))
        if bare and client != "bare":
            same_rounds = bare[: len(runs)]
            wall_over = str(ratio(wall, [run["wall"] for run in same_rounds]))
            cpu_over = str(ratio(cpu, [run["cpu"] for run in same_rounds]))
        latencies = median(wall) / LATENCY if client.endswith("-best") else None
        times = 1000 * median(wall), 1000 * median(cpu)
        made.append(Row(client, width, *times, wall_over, cpu_over, latencies))
    return made


def show(made: Sequence[Row]) -> None:
    """Print the two tables and what to know about them."""
    print(f"{'at once':>7}  {'client':17} {'calls/s':>8} {'wall ms':>8} {'CPU ms':>8}  "
          f"{'wall / bare':18} {'CPU / bare':18}")  # fmt: skip
    for row in made:
        if row.latencies is None:
            print(f"{row.width:7}  {row.client:17} {1000 / row.wall_ms:8.0f} {row.wall_ms:8.3f} "
                  f"{row.cpu_ms:8.3f}  {row.wall_over_bare:18} {row.cpu_over_bare:18}")  # fmt: skip
    print(f"\nbest of 8 with a judge, {1000 * LATENCY:.0f} ms a call")
    for row in made:
        if row.latencies is not None:
            print(f"{row.client:17} {row.wall_ms:8.0f} ms = {row.latencies:5.2f} latencies")
    print("", *NOTES, sep="\n")


def main() -> None:
    """Measure everything, round by round."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=4096, help="a measurement")
    parser.add_argument("--smoke", action="store_true", help="3 rounds of 512 calls")
    parser.add_argument("--without", nargs="*", default=[], help="clients to leave out")
    parser.add_argument("--output", type=Path, help="JSON")
    options = parser.parse_args()
    rounds, calls = (2, 512) if options.smoke else (options.rounds, options.calls)
    python = {
        "workspan": Path(sys.executable),
        "its-hub": environment("its-hub", ITS_HUB),
        "optillm": environment("optillm", OPTILLM_NEEDS, bare=(OPTILLM,)),
    }
    measurement = Measurement(python, {})
    callers = [client for client in CALLERS if client not in options.without]
    ensembles = [client for client in ENSEMBLES if client not in options.without]
    with loopback_server("--text", TEXT) as url:
        for turn in range(rounds + 1):
            for width in (64, 512):
                measurement.round(callers, url, width, max(1, calls // width), turn)
    with loopback_server("--text", BEST_TEXT, "--latency", str(LATENCY), "--numbered") as url:
        for turn in range(rounds + 1):
            measurement.round(ensembles, url, 8, 4, turn)
    made = rows(measurement)
    show(made)
    if options.output:
        taken: list[dict[str, Any]] = [
            {"client": client, "width": width, "runs": runs}
            for (client, width), runs in measurement.taken.items()
        ]
        options.output.write_text(json.dumps({"notes": NOTES, "taken": taken}, indent=1))


if __name__ == "__main__":
    main()
