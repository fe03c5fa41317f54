"""Fetches the log of a machine: Vast is asked to collect it, and shows it some seconds later."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from lib.providers.vast.connection import VastConnection, VastRefusal
from lib.providers.vast.fields import Unreadable, as_row, text
from lib.providers.vast.limiter import Route
from lib.providers.vast.refusals import Cause, Refusal

_PAUSE_S: Final = 0.5


def read_logs(connection: VastConnection, instance: int, until: float, *, lines: int, of_host: bool) -> str:
    """The last `lines` of what the machine wrote, or of what its host says of it, if they come until then.

    Raises:
        VastRefusal: they were refused, or did not come in time.
        Unreadable: Vast does not say where they are.
    """
    answer = connection.call(Route.LOGS, lambda vast: _request(vast, instance, lines, of_host), until)
    url = text(as_row(answer, "the answer"), "result_url")
    _check_place(url, connection.url)
    while True:
        found = connection.fetch(url, until)
        if found is not None:
            return found
        if connection.clock.monotonic() + _PAUSE_S >= until:
            raise VastRefusal(Refusal(Cause.NO_ANSWER, "it was not collected in time"))
        connection.clock.sleep(_PAUSE_S)


def _request(vast: Any, instance: int, lines: int, of_host: bool) -> Any:
    asked = {"tail": str(lines)} | ({"daemon_logs": "true"} if of_host else {})
    answer = vast.client.put(f"/instances/request_logs/{instance}/", json_data=asked)
    answer.raise_for_status()
    return answer.json()


def _check_place(url: str, server: str) -> None:
    """A place that is to be read is one of the web, and no less private than the server itself."""
    schemes = ("https",) if server.startswith("https:") else ("http", "https")
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None:
        raise Unreadable("result_url is no place to read from")
