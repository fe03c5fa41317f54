"""A language model behind an OpenAI-compatible endpoint: one question, one JSON object as its answer.

What it says is checked by who asks. Of what a refusal says nothing is told, for it may repeat the key.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from lib.errors import BadConfiguration, TryAgain, Unavailable
from lib.foreign import parse_json

T = TypeVar("T")
_SILENT_S: Final = 600.0  # it thinks before its first byte; the stage's own time-out ends it earlier
_WITHIN_S: Final = 1800.0
_CONNECT_S: Final = 10.0
MOST_ANSWER: Final = 4 << 20  # bytes
_BLOCK: Final = 1 << 16
_FENCE: Final = re.compile(r"\A\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_KEY: Final = re.compile(r"[!-~]+")
_NO_FORMAT: Final = (400, 404, 422, 501)  # how servers refuse `response_format`


class UnusableAnswer(TryAgain):
    """The model answered with something else than was asked for; another time it may not."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """One endpoint. `base_url` is as LLM_BASE_URL has it, `key` is kept out of everything that is shown."""

    base_url: str
    model: str = "default"
    key: str = field(default="", repr=False)
    silent_s: float = _SILENT_S
    within_s: float = _WITHIN_S

    def ask(self, system: str, question: str, read: Callable[[Mapping[str, Any]], T]) -> T:
        """What `read` makes of the JSON object that the model answers with.

        `read` raises UnusableAnswer where it is not what was asked for; then the model is told and asked once
        more.

        Raises:
            UnusableAnswer: the second answer is of no use either.
            Unavailable, TryAgain: nobody answers, or not now.
            BadConfiguration: it refuses us, or what we send; a retry finds the same.
        """
        messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
        try:
            return read(_object(self._answer(messages)))
        except UnusableAnswer as error:
            again = f"That was no usable answer: {error.message} Answer with the JSON object alone."
            return read(_object(self._answer([*messages, {"role": "user", "content": again}])))

    def _answer(self, messages: list[dict[str, str]]) -> str:
        body: dict[str, Any] = {"model": self.model, "messages": messages, "stream": False}
        status, data = self._post({**body, "response_format": {"type": "json_object"}})
        if status in _NO_FORMAT and b"response_format" in data:
            status, data = self._post(body)
        if not 200 <= status < 300:
            raise _refusal(status)
        try:
            content = parse_json(data)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError):
            raise UnusableAnswer("The language model's answer has no choices[0].message.content.") from None
        if not isinstance(content, str):
            raise UnusableAnswer("The language model's answer holds no text.")
        return content

    def _post(self, body: Mapping[str, Any]) -> tuple[int, bytes]:
        """Send a request; the status and the whole answer."""
        deadline = time.monotonic() + self.within_s
        data, headers = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"), self._headers()
        try:
            with contextlib.closing(self._connection()) as connection:
                connection.connect()
                connection.sock.settimeout(self.silent_s)
                connection.request("POST", self._target(), body=data, headers=headers)
                with connection.getresponse() as response:
                    return response.status, _whole(response, deadline)
        except TimeoutError:
            raise Unavailable("The language model (LLM_BASE_URL) took too long to answer.") from None
        except (OSError, HTTPException, ValueError) as error:  # their words may repeat the address
            raise Unavailable(
                f"The language model (LLM_BASE_URL) does not answer: {_plain(error)}."
            ) from None

    def _connection(self) -> HTTPConnection:
        parts = urlsplit(self.base_url)
        if parts.username is not None or parts.password is not None:
            raise BadConfiguration("LLM_BASE_URL holds a login; give the key as LLM_API_KEY instead.")
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return HTTPSConnection(parts.hostname or "", parts.port, timeout=_CONNECT_S, context=context)
        return HTTPConnection(parts.hostname or "", parts.port, timeout=_CONNECT_S)

    def _target(self) -> str:
        parts = urlsplit(self.base_url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{parts.path.rstrip('/')}/chat/completions{query}"

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if not self.key:
            return headers
        if not _KEY.fullmatch(self.key):
            raise BadConfiguration("LLM_API_KEY (hidden) holds a blank or a letter that no key can have.")
        return {**headers, "Authorization": f"Bearer {self.key}"}


def _whole(response: HTTPResponse, deadline: float) -> bytes:
    parts, size = list[bytes](), 0
    while part := response.read1(_BLOCK):
        size += len(part)
        if size > MOST_ANSWER:
            raise UnusableAnswer(f"The language model's answer is longer than {MOST_ANSWER >> 20} MiB.")
        if time.monotonic() > deadline:
            raise TimeoutError
        parts.append(part)
    return b"".join(parts)


def _object(content: str) -> dict[str, Any]:
    fenced = _FENCE.match(content)
    try:
        value = parse_json(fenced[1] if fenced else content)
    except ValueError as error:
        why = getattr(error, "msg", None) or str(error)
        raise UnusableAnswer(f"The language model answered with no JSON ({why}).") from None
    if not isinstance(value, dict):
        raise UnusableAnswer("The language model answered with JSON that is no object.")
    return value


def _refusal(status: int) -> BadConfiguration | TryAgain:
    """What a status of the endpoint means for whoever set it up."""
    said = f"The language model (LLM_BASE_URL) answered {status}"
    if status in (408, 409, 425, 429) or status >= 500:
        return TryAgain(f"{said}: it is busy or broken just now.")
    if status in (401, 403):
        return BadConfiguration(f"{said}: it does not accept the key; look at LLM_API_KEY.")
    if status == 402:
        return BadConfiguration(f"{said}: the account has no credit left.")
    if status == 404:
        return BadConfiguration(
            f"{said}: LLM_BASE_URL has no /chat/completions, or no model of the name LLM_MODEL."
        )
    if 300 <= status < 400:
        return BadConfiguration(f"{said}: redirects are not followed; set LLM_BASE_URL to where they lead.")
    return BadConfiguration(f"{said}: it does not take what was asked; is the text too long for LLM_MODEL?")


def _plain(error: Exception) -> str:
    """Why, without anything that the other side wrote or that its address holds."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not trusted, or is of another name"
    strerror = getattr(error, "strerror", None)
    return str(strerror) if strerror and not isinstance(error, ssl.SSLError) else type(error).__name__
