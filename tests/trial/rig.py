"""Tries a program of ours in this process, against the real wire and tester."""

from __future__ import annotations

import socket
import threading
import types
from contextlib import redirect_stdout
from io import StringIO
from unittest.mock import patch

from workspan.sandbox.trial import tester as side
from workspan.sandbox.trial.host import Foreign, Host
from workspan.sandbox.trial.wire import Closed


def tried(program: str, tests: list[str], helpers: str = "") -> str:
    """Try a program of ours in this process; "" if it passes, else what failed."""
    ours, its = socket.socketpair()
    module = types.ModuleType("__main__")
    # what a program does to the class of the tests' objects stays in its own process, else
    with redirect_stdout(StringIO()), patch.object(Foreign, "__init__", Foreign.__init__):
        host = Host(its.detach(), module)
        exec(compile(program, "main.py", "exec"), vars(module))

        def serve() -> None:
            try:
                host.serve()
            except Closed:
                host.stream.close()

        thread = threading.Thread(target=serve)
        thread.start()
        place = 0
        tester = side.Tester(ours.detach(), tests, helpers)
        try:
            for place in range(len(tests)):
                tester.run(place)
        except BaseException as error:  # noqa: BLE001  # a test raises what it likes
            return f"{tests[place]}: {error!r}"
        finally:
            tester.stream.close()
            thread.join()
    return ""
