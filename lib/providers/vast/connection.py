"""The one way to Vast's servers: its SDK, with our own pace, deadline and reading of refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from lib.clock import Clock
from lib.errors import BadConfiguration, MissingExtra
from lib.providers.rental import ProviderError
from lib.providers.vast.fields import for_people
from lib.providers.vast.limiter import CallLimiter, Route
from lib.providers.vast.refusals import Cause, Refusal, read_refusal
from lib.redact import Redactor

_KEY: Final = re.compile(r"[A-Za-z0-9._-]+")  # theirs are 64 hexadecimal digits today
SERVER: Final = "https://console.vast.ai"
CALL_S: Final = 28.0  # a call of the port, all its requests together
_TURN_S: Final = 5.0
_CONNECT_S: Final = 5.0
_LEAST_READ_S: Final = 1.0


class VastRefusal(Exception):
    """A call that was not done as asked; whoever asked knows what that means for it.

    Raises: nothing itself; it stays within this package.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


class VastConnection:
    """Makes calls with one key. The key is in no error, and no file or other setting is looked for it.

    Each call gets an SDK of its own: that costs nothing, for the SDK keeps no connection, and
    so the time that is left can be its timeout, whichever thread calls.

    Threads: any.

    Raises, from every method:
        MissingExtra: the SDK is not installed.
        BadConfiguration: the key would not be what is sent.
    """

    def __init__(self, key: str, *, clock: Clock, url: str | None = None) -> None:
        self.url = (url or SERVER).rstrip("/")
        self.clock = clock
        self._key, self._redactor = key, Redactor([key])
        self._limiter = CallLimiter(clock)
        self._sdk: Any = None

    def deadline(self) -> float:
        """When a call of the port that begins now must have ended, by the clock that never goes back."""
        return self.clock.monotonic() + CALL_S

    def check(self) -> None:
        """Make sure that calls can be made: the SDK is there, and sends the key that it is given."""
        if not _KEY.fullmatch(self._key):
            raise BadConfiguration(
                "VAST_API_KEY is no key: one is plain letters and digits, without blanks, quotes or brackets."
            )
        _check_server(self.url)
        self._load()

    def call(self, route: Route, ask: Callable[[Any], Any], until: float) -> Any:
        """The answer to one request, made once.

        Raises:
            RateLimited: it was not made, for its turn does not come in time.
            VastRefusal: it was made, and not done as asked.
        """
        sdk = self._load()
        with self._limiter.turn(route, min(until, self.clock.monotonic() + _TURN_S)):
            left = until - self.clock.monotonic() - _CONNECT_S
            vast = sdk.make(self._key, self.url, (_CONNECT_S, max(_LEAST_READ_S, left)))
            try:
                answer = ask(vast)
            except Exception as error:
                refusal = self._refusal_of(sdk.told_by(error), error)
                self._note(route, refusal)
                raise VastRefusal(refusal) from None  # the SDK's own errors hold URLs
        self._limiter.answered()
        if isinstance(answer, dict) and answer.get("success") is False:
            raise VastRefusal(self._read(200, answer, {}))
        return answer

    def fetch(self, place: str, until: float) -> str | None:
        """A text that Vast put at a place of its own for us; None: it is not there yet. The key is not sent.

        Raises:
            VastRefusal: nobody answers there.
        """
        sdk = self._load()
        left = max(_LEAST_READ_S, until - self.clock.monotonic() - _CONNECT_S)
        try:
            found: str | None = sdk.fetch_text(place, (_CONNECT_S, left))
        except Exception as error:
            raise VastRefusal(self._refusal_of(sdk.told_by(error), error)) from None
        return found

    def key_begins_with(self, letters: int) -> str:
        """The first letters of the key, by which Vast itself names keys."""
        return self._key[:letters]

    def hide(self, words: str) -> str:
        """The words without the key."""
        return self._redactor.hide(words)

    def _load(self) -> Any:
        if self._sdk is None:
            try:
                from lib.providers.vast import sdk
            except ImportError as error:
                raise MissingExtra("Renting machines of Vast.ai", "vast") from error
            if sdk.netrc_has(self.url):
                raise BadConfiguration(
                    f"The file ~/.netrc has a login for {self.url}, which would be sent instead of "
                    "VAST_API_KEY; take its lines for that machine (or `default`) out of it."
                )
            self._sdk = sdk
        return self._sdk

    def _refusal_of(self, told: Any, error: Exception) -> Refusal:
        """What an exception of the SDK means. One that is none of its known ones is ours, and goes on."""
        match told:
            case (int() as status, str() as body, headers):
                return self._read(status, body, headers)
            case (Cause() as cause, str() as words):
                return Refusal(cause, words)
            case _:
                raise error

    def _read(self, status: int, body: object, headers: Any) -> Refusal:
        found = read_refusal(status, body, headers, self.clock.now())
        return replace(found, words=for_people(self.hide(found.words)))

    def _note(self, route: Route, refusal: Refusal) -> None:
        if refusal.cause is Cause.RATE:
            self._limiter.refused(route, refusal.after_s)
        else:
            self._limiter.answered()


def _check_server(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or parts.query:
        raise BadConfiguration("VAST_URL is no address of a server, like http://127.0.0.1:8090.")
    if parts.scheme == "http" and not _is_here(host):
        raise BadConfiguration(
            f"VAST_URL is http, and {for_people(host, 80)} is not this computer: the key would be sent for "
            "all to read; use https."
        )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def unreadable(doing: str, why: object) -> ProviderError:
    """The error for an answer that lacks what it must have."""
    return ProviderError(f"Vast's answer to {doing} cannot be read: {for_people(why)}.")
