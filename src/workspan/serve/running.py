"""The processes of a server: one socket, so many workers, an end that loses nothing."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from time import monotonic
from types import FrameType

import uvicorn

from workspan.errors import InputError, OutputError, WorkspanError
from workspan.serve.app import App
from workspan.serve.config import Config
from workspan.serve.gateway import Gateway
from workspan.serve.seeing.log import RequestLog, to_standard_error
from workspan.serve.wire.connections import Connection, limited

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75
"""Of an idle connection: longer than balancers keep theirs."""
logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what a client did is no error
_GRACE_SECONDS = 5
"""After the drain, until what still runs is cancelled."""
_RESTART_SECONDS = 0.5
"""Before a dead worker is started anew; twice as long each time that it dies as it begins."""
_LONGEST_PAUSE, _STEADY_SECONDS = 30.0, 10.0
_YOUNG = 10_000
"""New objects after which Python looks for garbage in cycles. A request is some hundred, and all
are gone when it ends, without any search: by Python's default a few at a time begin one again and
again."""
_STRATEGIES = "workspan.serve.routes.scaling"
"""What answers by strategies, and all it stands on: nothing that a server needs to begin."""
_AGAIN_SECONDS = 1.0
"""After which a signal to end is a second one. Before, it is the same: a terminal and a service
manager send it to a worker, and so does the worker's parent."""

Listening = Callable[[str], None]
"""Told the address once requests are taken."""


class _Server(uvicorn.Server):
    """A server that lets its requests end."""

    def __init__(self, config: uvicorn.Config, app: App, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.app = app
        self._on_ready = on_ready
        self._asked_to_end: float | None = None
        self._loading: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to end; at a second signal stop what still runs. Accounts are settled either way.

        Uvicorn's own second signal would leave without a word to the store.
        """
        now = monotonic()
        if self._asked_to_end is None:
            self._asked_to_end, self.should_exit = now, True
            self._captured_signals.append(sig)
        elif now - self._asked_to_end >= _AGAIN_SECONDS:
            self.app.gateway.watch.hurry()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open, then say so."""
        await super().startup(sockets)
        if self.started:
            self.app.gateway.watch.also.append(self._look)
            gc.collect()
            gc.freeze()  # what is here now stays: no collection needs to look at it again
            self._on_ready()
            if _STRATEGIES not in sys.modules:
                self._loading = asyncio.create_task(_load())

    def _look(self, now: float) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection):
                connection.look(now)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new request, let those that run end, settle those that do not."""
        gateway = self.app.gateway
        gateway.is_draining = True
        gateway.feed.close()
        seconds = gateway.config.limits.drain_seconds
        end = asyncio.get_running_loop().call_later(seconds, gateway.watch.stop, "draining")
        try:
            await super().shutdown(sockets)
        finally:
            end.cancel()


async def _load() -> None:
    """Import what the first request for a strategy would wait for, while others are answered."""
    await asyncio.to_thread(importlib.import_module, _STRATEGIES)
    gc.freeze()


def serve(config: Config, on_listening: Listening) -> None:
    """Serve until a signal to end.

    Raises:
        InputError: the address can't be had.
        WorkspanError: an engine or the store can't be opened.
    """
    sock = _bound(config)
    address = _address(sock)
    _end_at_hang_up()
    try:
        if config.workers == 1:
            _work(config, sock, lambda: on_listening(address))
        else:
            _Workers(config, sock).run(lambda: on_listening(address))
    finally:
        sock.close()


def _end_at_hang_up() -> None:
    """Take the end of a terminal for a signal to end: by default it would lose the accounts."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def _bound(config: Config) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{config.host}:{config.port} can't be listened at: {why}") from None
    return sock


def _made(
    config: Config,
    log: RequestLog,
    on_ready: Callable[[], None],
    worker: str = "",
    folder: Path | None = None,
) -> _Server:
    app = App(config, log, worker, folder)
    options = uvicorn.Config(
        app,
        interface="asgi3",
        http=limited(config.limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=ceil(config.limits.drain_seconds) + _GRACE_SECONDS,
    )
    return _Server(options, app, on_ready)


@asynccontextmanager
async def serving(config: Config, log: RequestLog | None = None) -> AsyncIterator[Serving]:
    """Serve in this event loop for as long as the block runs; one worker, whatever was stated.

    Raises:
        InputError: the address can't be had.
        WorkspanError: an engine or the store can't be opened.
    """
    is_ready = asyncio.Event()
    sock = _bound(config)
    server = _made(config, log or RequestLog(), is_ready.set)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    waiting = asyncio.create_task(is_ready.wait())
    try:
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        if not is_ready.is_set():
            raise _why(server.app)
        yield Serving(_address(sock), server.app.gateway)
    finally:
        waiting.cancel()
        server.should_exit = True
        with suppress(SystemExit):
            await task
        sock.close()


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that runs."""

    url: str
    """What a client is pointed at."""
    gateway: Gateway


def _why(app: App) -> WorkspanError:
    """Return why a server could not start."""
    if isinstance(app.failure, WorkspanError):
        return app.failure
    error = OutputError(f"the server could not start: {app.failure}")
    error.__cause__ = app.failure
    return error


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"


def _work(
    config: Config,
    sock: socket.socket,
    on_ready: Callable[[], None],
    worker: str = "",
    folder: Path | None = None,
) -> None:
    """Serve in this process."""
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    server = _made(config, to_standard_error(), on_ready, worker, folder)
    try:
        server.run(sockets=[sock])
    except KeyboardInterrupt:
        return
    except SystemExit:
        if server.app.failure is None:
            raise
    if server.app.failure is not None:
        raise _why(server.app)


@dataclass(slots=True)
class Revival:
    """When a worker that died is started anew: soon, unless it dies as soon as it begins."""

    began: float
    """When it was started last."""
    pause: float = 0.0
    """Seconds before it is started anew."""
    due: float | None = None
    """When that is; None while it runs."""

    def died(self, now: float) -> bool:
        """Note that it is dead; False where that is known."""
        if self.due is not None:
            return False
        is_steady = now - self.began >= _STEADY_SECONDS
        self.pause = _RESTART_SECONDS if is_steady else min(_LONGEST_PAUSE, 2 * self.pause)
        self.pause = max(self.pause, _RESTART_SECONDS)
        self.due = now + self.pause
        return True

    def is_due(self, now: float) -> bool:
        """Say whether it is time; if so, it begins now."""
        if self.due is None or now < self.due:
            return False
        self.began, self.due = now, None
        return True


def _end_alone(lifeline: int) -> None:
    """End this process as by a signal once its parent is gone: nobody would start it anew."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


class _Workers:
    """The parent of several processes: starts them, starts those anew that die, ends them."""

    def __init__(self, config: Config, sock: socket.socket) -> None:
        self._config = config
        self._sock = sock
        self._context = multiprocessing.get_context("fork")
        self._running: list[multiprocessing.process.BaseProcess] = []
        self._revivals = [Revival(monotonic()) for _ in range(config.workers)]
        self._log = to_standard_error()
        self._is_ending = False
        self._read, self._write = os.pipe()
        self._lifeline = os.pipe()
        """Closed by this process's end, however it comes: then its workers end, too."""
        self._folder = Path(tempfile.mkdtemp(prefix="workspan-serve-"))

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serve until a signal to end.

        Raises:
            InputError: the workers can't start; they have said why.
        """
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        self._running = [self._start(place) for place in range(self._config.workers)]
        if self._all_ready():
            on_ready()
            self._keep()
        self._end(0, None)
        for process in self._running:
            process.join()
        shutil.rmtree(self._folder, ignore_errors=True)
        if not self._is_ready:
            raise InputError("the workers could not start: see what they said above")

    _is_ready = False

    def _start(self, place: int) -> multiprocessing.process.BaseProcess:
        process = self._context.Process(target=self._child, args=(place,))
        process.start()
        return process

    def _child(self, place: int) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.close(self._read)
        os.close(self._lifeline[1])
        threading.Thread(target=_end_alone, args=(self._lifeline[0],), daemon=True).start()
        try:
            worker = str(place + 1)
            _work(self._config, self._sock, lambda: self._say_ready(), worker, self._folder)
        except WorkspanError as error:
            sys.stderr.write(f"{error}\n")
            sys.stderr.flush()
            os._exit(1)

    def _say_ready(self) -> None:
        os.write(self._write, b"1")

    def _all_ready(self) -> bool:
        """Wait until all serve; False where one could not."""
        left = self._config.workers
        os.set_blocking(self._read, False)
        while left and not self._is_ending:
            try:
                left -= len(os.read(self._read, left))
            except BlockingIOError:
                if any(process.exitcode for process in self._running):
                    return False
                multiprocessing.connection.wait([p.sentinel for p in self._running], 0.02)
        self._is_ready = True
        return not self._is_ending

    def _keep(self) -> None:
        """Start dead workers anew until the end."""
        while not self._is_ending:
            alive = [process.sentinel for process in self._running if process.exitcode is None]
            multiprocessing.connection.wait(alive, _RESTART_SECONDS)
            for place, process in enumerate(self._running):
                if process.exitcode is not None and not self._is_ending:
                    self._revive(place, process.exitcode)

    def _revive(self, place: int, status: int) -> None:
        """Start one anew, once it is time; say that it died."""
        revival, now = self._revivals[place], monotonic()
        if revival.died(now):
            self._log.died(str(place + 1), status, revival.pause)
        if revival.is_due(now):
            self._running[place] = self._start(place)

    def _end(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._is_ending = True
        for process in self._running:
            if process.is_alive():
                process.terminate()
