"""llama.cpp's own HTTP server as a process: ``python -m workspan.testing.llama_server MODEL.gguf``.

The first line on standard output is its address. `/metrics` holds its own counters.
"""

from __future__ import annotations

import argparse
import sys
import threading

from workspan.errors import MissingDependency


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("model")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--slots", type=int, default=4, help="completions at a time")
    parser.add_argument("--context", type=int, default=1024, help="tokens a slot")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    try:
        import xllamacpp
    except ImportError as error:
        raise MissingDependency("llama.cpp's server", "embedded") from error
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.n_ctx = options.slots * options.context
    params.n_parallel = options.slots
    params.port = options.port
    params.cpuparams.n_threads = options.threads
    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    # In one piece: the library's own log goes to the same place, and would come between.
    sys.stdout.write(f"{server.listening_address}\n")  # the parent process reads it
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
