"""A headless Chromium, driven over its own debugging protocol: nothing is installed beside it."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60.0
"""Seconds that a busy machine may take; nothing is timed by them."""


def found() -> str | None:
    """Return the browser of this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass(slots=True)
class Page:
    """One tab."""

    socket: aiohttp.ClientWebSocketResponse
    said: list[str] = field(default_factory=list)
    """What its console told: errors, refusals of its policy."""
    asked: list[str] = field(default_factory=list)
    """Addresses that it asked for."""
    password: str = ""
    """What a person would type where the browser asks for one; empty types nothing."""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)

    async def read(self) -> None:
        """Take what the browser tells, until it ends."""
        async for message in self.socket:
            told = message.json()
            if (answer := self._answers.pop(told.get("id", 0), None)) is not None:
                answer.set_result(told)
            elif told.get("method") == "Log.entryAdded":
                self.said.append(told["params"]["entry"]["text"])
            elif told.get("method") == "Runtime.exceptionThrown":
                self.said.append(told["params"]["exceptionDetails"]["text"])
            elif told.get("method") == "Network.requestWillBeSent":
                self.asked.append(told["params"]["request"]["url"])
            elif told.get("method", "").startswith("Fetch."):
                await self._go_on(told["method"], told["params"]["requestId"])

    async def _go_on(self, method: str, request: str) -> None:
        """Let a request that was held go on; a browser's question for a password is answered."""
        answer = {"response": "CancelAuth"}
        if self.password:
            answer = {"response": "ProvideCredentials", "username": "operator"}
            answer["password"] = self.password
        if method == "Fetch.authRequired":
            told = {"requestId": request, "authChallengeResponse": answer}
            await self._post("Fetch.continueWithAuth", told)
        else:
            await self._post("Fetch.continueRequest", {"requestId": request})

    async def _post(self, method: str, params: dict[str, Any]) -> None:
        """Send without waiting for an answer."""
        await self.socket.send_json({"id": next(self._numbers), "method": method, "params": params})

    async def send(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE):
            told = await answer
        assert "error" not in told, told
        return told["result"]

    async def run(self, script: str) -> Any:
        """Return the value of an expression, as the page's own scripts see it."""
        told = await self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until an expression is true, and return it."""
        async with asyncio.timeout(PATIENCE):
            while not (value := await self.run(script)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return value

    async def key(self, name: str, code: int, text: str = "") -> None:
        """Press a key."""
        told = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        typed = {"text": text} if text else {}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **told, **typed)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **told)

    async def picture(self, path: Path) -> None:
        """Save what is to be seen."""
        told = await self.send("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(told["data"]))  # noqa: ASYNC240

    async def look(self, *, dark: bool = False, still: bool = False) -> None:
        """Wish for colours and motion, as a person's system does."""
        wishes = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        await self.send("Emulation.setEmulatedMedia", features=wishes)


@asynccontextmanager
async def browsing(profile: Path, width: int = 1100, height: int = 900) -> AsyncIterator[Page]:
    """Open a tab in a browser of its own."""
    path = found()
    assert path is not None
    process = await asyncio.create_subprocess_exec(
        path,
        "--headless=new",
        "--no-sandbox",  # of a root in a container; it opens nothing but our own page
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        f"--window-size={width},{height}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as client:
            async with client.get(f"http://127.0.0.1:{port}/json") as reply:
                tabs = await reply.json()
            (tab,) = [one for one in tabs if one["type"] == "page"]
            async with client.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                reading = asyncio.create_task(page.read())
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await page.send(f"{domain}.enable")
                yield page
                reading.cancel()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _told(path: Path) -> int:
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


async def _port(path: Path) -> int:
    async with asyncio.timeout(PATIENCE):
        while not (port := _told(path)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return port
