"""Try to break out of a mechanism before it is trusted."""

from __future__ import annotations

import json
import os
import socket
import tempfile

from workspan.errors import SandboxUnavailable
from workspan.sandbox.launch import Limits, run
from workspan.sandbox.mechanisms import Mechanism

_ATTEMPT = """
import json, os, socket, sys

def attempt(what, act, *arguments):
    try:
        act(*arguments)
    except OSError:
        return
    reached.append(what)

given, reached = json.load(sys.stdin), []
attempt("a port of this machine", socket.create_connection, ("127.0.0.1", given["port"]))
attempt("a file of the user", open, given["file"])
attempt("the root folder, to write", open, "/canary", "w")
attempt("Python's files, to write", open, os.__file__ + ".canary", "w")
attempt("the box, to write", open, "canary", "w")
reached += ["the environment"] * bool(set(os.environ) - {"HOME", "LANG", "PWD", "LC_CTYPE"})
with open("/proc/self/status") as file:
    rights = dict(line.split(":", 1) for line in file)
reached += ["rights"] * (int(rights["CapEff"], 16) != 0 or rights["NoNewPrivs"].strip() != "1")
reached += ["processes outside"] * (sum(name.isdigit() for name in os.listdir("/proc")) != 2)
print(json.dumps(reached))
"""


async def prove(mechanism: Mechanism) -> None:
    """Try from within to reach a port, a file, the environment, rights and processes.

    Raises:
        SandboxUnavailable: one of them was reached, or the mechanism does not work here.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.NamedTemporaryFile() as canary:
        os.fchmod(canary.fileno(), 0o644)  # only the walls shall keep it from being read
        given = json.dumps({"port": server.getsockname()[1], "file": canary.name})
        outcome = await run(mechanism, _ATTEMPT, given, Limits())
    if outcome.reason != "ok":
        raise SandboxUnavailable(f"the probe ended by {outcome.reason}: {outcome.stderr[-500:]}")
    leaks = set(json.loads(outcome.stdout)) - {"the box, to write"}
    if leaks:
        raise SandboxUnavailable(f"it does not isolate: the probe reached {', '.join(leaks)}")
