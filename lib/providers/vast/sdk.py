"""Vast's SDK and the HTTP library under it: imported by nobody but the connection, and only when it calls.

Importing takes half a second and 60 MB. No method of the SDK is used that looks for a key, retries or changes
what it was given: those below it are asked instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from vastai import VastAI

from lib.providers.vast.refusals import Cause

_MOST_LOG_BYTES = 256 * 1024


def make(key: str, url: str, timeout: tuple[float, float]) -> Any:
    """The SDK for one call: one try, and seconds to connect and for each piece that is read."""
    vast = VastAI(api_key=key, server_url=url, retry=1)
    vast.client.timeout = timeout
    return vast


def netrc_has(url: str) -> bool:
    """Whether a netrc file would put another login in place of the key, which the HTTP library does."""
    return requests.utils.get_netrc_auth(url) is not None


def told_by(error: Exception) -> tuple[int, str, Mapping[str, str]] | tuple[Cause, str] | None:
    """What an exception of the SDK says: an answer's status, body and headers, or a cause with words of ours.

    None: it is no exception of a call.
    """
    match error:
        case requests.exceptions.HTTPError() if error.response is not None:
            answer = error.response
            if answer.history:  # it is not the answer to what was asked
                return Cause.UNREADABLE, f"it sent us elsewhere ({answer.history[0].status_code})"
            return answer.status_code, answer.text, answer.headers
        case requests.exceptions.JSONDecodeError():
            return Cause.UNREADABLE, "what came is no JSON"
        case requests.exceptions.Timeout():
            return Cause.NO_ANSWER, "it took too long"
        case requests.exceptions.TooManyRedirects():
            return Cause.RETIRED, "it sends us around in circles"
        case requests.exceptions.RequestException():
            return Cause.NO_ANSWER, f"the connection failed ({type(error).__name__})"
        case KeyError() | TypeError() | IndexError() | AttributeError():
            return Cause.UNREADABLE, f"it lacks what the SDK reads ({type(error).__name__})"
        case _:
            return None


def fetch_text(url: str, timeout: tuple[float, float]) -> str | None:
    """The first 256 KiB at a URL that Vast gave; None: nothing is there yet. No login goes with it."""
    with requests.get(url, timeout=timeout, stream=True, allow_redirects=False, auth=_nobody) as answer:
        if answer.status_code != 200:
            return None
        found = bytearray()
        for piece in answer.iter_content(16 * 1024):
            found += piece
            if len(found) >= _MOST_LOG_BYTES:
                break
        return bytes(found[:_MOST_LOG_BYTES]).decode("utf-8", "replace")


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
