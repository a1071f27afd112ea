"""A headless Chromium, spoken to over its own DevTools protocol on a pair of pipes: no port, no driver."""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import signal
import tempfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = "/usr/bin/chromium"
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"),
)


class Browser:
    """One page in one browser. ``events`` is everything that the browser told about it."""

    def __init__(self, inlet: int, outlet: int) -> None:
        self._inlet, self._outlet = inlet, outlet
        self._rest = b""
        self._numbers = itertools.count(1)
        self._session = ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What the browser answers to one command."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._outlet, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, path: Path, *, width: int = 1280, dark: bool = False, media: str = "") -> None:
        """Show a file as on a screen of this width."""
        self.events = []
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call("Page.navigate", url=path.as_uri())
        while not any(each.get("method") == "Page.loadEventFired" for each in self.events):
            self.events.append(self._read())

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript comes to, by way of the debugger: the page itself may run none."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def told(self, method: str) -> list[dict[str, Any]]:
        """What the browser told under this name since the page was opened."""
        self.call("Runtime.evaluate", expression="0")
        return [each["params"] for each in self.events if each.get("method") == method]

    def picture(self) -> bytes:
        """The whole page as PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def print(self) -> bytes:
        """The page as PDF."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._inlet, 1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def running() -> Iterator[Browser]:
    """A browser with a profile of its own, ended with the block."""
    with ExitStack() as ending:
        profile = ending.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        commands, outlet = os.pipe()
        inlet, answers = os.pipe()
        for end in (outlet, inlet):
            ending.callback(os.close, end)
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands, answers)]
        # The browser reads commands on 3 and answers on 4.
        places = [(os.POSIX_SPAWN_DUP2, end, place) for place, end in enumerate(theirs, start=3)]
        silence = [(os.POSIX_SPAWN_OPEN, place, os.devnull, os.O_RDWR, 0) for place in (0, 1, 2)]
        arguments = [PROGRAM, *_FLAGS, f"--user-data-dir={profile}"]
        process = os.posix_spawn(PROGRAM, arguments, os.environ, file_actions=[*places, *silence])
        for end in (commands, answers, *theirs):
            os.close(end)
        ending.callback(os.waitpid, process, 0)
        ending.callback(os.kill, process, signal.SIGTERM)
        yield Browser(inlet, outlet)
