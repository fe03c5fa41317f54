"""A Chromium without a window, driven over its own pipe, so that no package is needed for it."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

PROGRAM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_ANSWERS_WITHIN_S: Final = 60.0
_FLAGS: Final = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--autoplay-policy=no-user-gesture-required", "--host-resolver-rules=MAP * ~NOTFOUND"),
    *("--hide-scrollbars", "--force-color-profile=srgb", "--remote-debugging-pipe"),
)
needs_chromium: Final = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here")


class Tab:
    """One tab. `said` is what scripts wrote, dialogs asked and the browser complained of since it opened."""

    def __init__(self, send: Any, receive: Any) -> None:
        self._send, self._receive = send, receive
        self._number = 0
        self._session: str | None = None
        self._requests: dict[str, str] = {}  # by the browser's id
        self.said: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._send(message)
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        found = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self._requests[found["requestId"]] = found["request"]["url"]
            case "Network.loadingFailed" if found.get("blockedReason") == "csp":
                del self._requests[found["requestId"]]
            case "Runtime.consoleAPICalled":
                self.said.append(" ".join(str(each.get("value")) for each in found["args"]))
            case "Runtime.exceptionThrown":
                self.said.append(found["exceptionDetails"]["exception"].get("description", "exception"))
            case "Log.entryAdded":
                self.said.append(found["entry"]["text"])
            case "Page.javascriptDialogOpening":
                self.said.append(f"dialog: {found['message']}")

    def open(self, url: str, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Show a page of that size, and wait until it is loaded."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self._requests.clear()
        self.said.clear()
        self.call("Page.navigate", url=url)
        self.until(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")

    @property
    def requests(self) -> list[str]:
        """The addresses that were asked for since the page opened; what its policy stopped is none."""
        return list(self._requests.values())

    def value(self, script: str) -> Any:
        """What an expression of JavaScript is worth in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until the expression is true."""
        give_up = time.monotonic() + _ANSWERS_WITHIN_S
        while not self.value(script):
            assert time.monotonic() < give_up, f"never true: {script}"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """Press a key as a person does."""
        code = {"?": "Slash", " ": "Space"}.get(key, f"Key{key.upper()}" if len(key) == 1 else key)
        number = {" ": 32, "Escape": 27, "Tab": 9, "ArrowLeft": 37, "ArrowRight": 39}.get(
            key, ord(key[0].upper())
        )
        same: dict[str, Any] = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **same, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **same)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """A picture of what is shown, or of the whole page, as PNG."""
        shown = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shown["data"]))


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[Tab]:
    """A tab of a Chromium of its own, which is gone afterwards."""
    assert PROGRAM is not None
    to_read, from_us = map(_moved, os.pipe())
    from_it, to_write = map(_moved, os.pipe())
    command = f'exec "$@" 3<&{to_read} 4>&{to_write} {to_read}<&- {to_write}>&-'
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", PROGRAM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(to_read, to_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    )
    os.close(to_read)
    os.close(to_write)
    try:
        yield Tab(lambda message: _write(from_us, message), _reader(from_it))
    finally:
        with contextlib.suppress(OSError):
            _write(from_us, {"id": 0, "method": "Browser.close"})
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(from_us)
        os.close(from_it)


def _moved(descriptor: int) -> int:
    """The same pipe under a number that neither the shell nor Chromium means something by."""
    other = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(descriptor)
    return other


def _write(descriptor: int, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode() + b"\0"
    while data:
        data = data[os.write(descriptor, data) :]


def _reader(descriptor: int) -> Callable[[], dict[str, Any]]:
    """The next message each time it is called; messages end with a zero byte."""
    held = bytearray()

    def receive() -> dict[str, Any]:
        while b"\0" not in held:
            ready, _, _ = select.select([descriptor], [], [], _ANSWERS_WITHIN_S)
            assert ready, "Chromium does not answer"
            part = os.read(descriptor, 1 << 16)
            assert part, "Chromium ended"
            held.extend(part)
        message, _, rest = bytes(held).partition(b"\0")
        held[:] = rest
        found: dict[str, Any] = json.loads(message)
        return found

    return receive
