"""A bucket of Supabase Storage, by its own client."""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import time
from collections.abc import Callable
from typing import Final, TypeVar

from lib.backoff import backoff_s
from lib.errors import MissingExtra
from lib.storage.bucket import ObjectRefused, checked_key
from lib.storage.port import StorageMisconfigured, StorageUnavailable

try:
    import httpx
    from storage3 import SyncStorageClient
    from storage3.exceptions import StorageApiError
except ImportError as error:
    raise MissingExtra("Storing pictures in Supabase", "imagen") from error

T = TypeVar("T")
_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 60.0
_TRIES: Final = 4
_PAUSES_S: Final = (0.2, 5.0)
_CODE: Final = re.compile(r"[A-Za-z0-9_ .-]{1,64}")


class SupabaseBucket:
    """As `lib.storage.bucket.Bucket`. A request that was not answered, or with a 5xx, is made again.

    `url` is the project's, as SUPABASE_URL has it; `key` its service key. `pause` sleeps between tries.
    """

    keeps_first = True  # an upload without x-upsert is refused where something lies

    def __init__(
        self,
        name: str,
        url: str,
        key: str,
        *,
        answer_s: float = _ANSWER_S,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._pause = pause
        headers = {"Authorization": f"Bearer {key}", "apikey": key}
        # No redirection is followed: the key is for this server alone.
        self._http = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(answer_s, connect=_CONNECT_S),
            follow_redirects=False,
            trust_env=False,
        )
        client = SyncStorageClient(f"{self._url}/storage/v1/", headers, http_client=self._http)
        self._files = client.from_(name)

    def put_new(self, key: str, data: bytes, sha256: str) -> bool:
        """Upload; where the answer is that something lies there, compare it: it may be ours."""
        checked_key(key)

        def upload() -> bool:
            self._files.upload(
                key, data, {"content-type": "image/png", "cache-control": "3600", "upsert": "false"}
            )
            return True

        try:
            return self._asked(upload)
        except _Duplicate:
            return self.sha256(key) == sha256

    def sha256(self, key: str) -> str | None:
        """Read it whole: the service tells no such hash."""
        checked_key(key)
        try:
            return self._asked(lambda: hashlib.sha256(self._files.download(key)).hexdigest())
        except _Missing:
            return None

    def place(self, key: str) -> str:
        """The object's URL, which opens for whoever has the right."""
        return f"{self._url}/storage/v1/object/{self.name}/{checked_key(key)}"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _asked(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer that stands."""
        for tries in range(1, _TRIES + 1):
            try:
                return ask()
            except StorageApiError as error:
                refusal = self._refusal(error)
            except (httpx.HTTPError, ValueError, KeyError) as error:  # an answer that is none of its own
                refusal = self._unavailable(f"does not answer ({type(error).__name__})")
            if (
                isinstance(refusal, StorageMisconfigured | ObjectRefused | _Duplicate | _Missing)
                or tries == _TRIES
            ):
                raise refusal from None
            self._pause(backoff_s(tries, random.random(), base_s=_PAUSES_S[0], cap_s=_PAUSES_S[1]))
        raise AssertionError("unreachable: the last try raises")

    def _refusal(self, error: StorageApiError) -> Exception:
        """What a status means. Older servers say it in the body alone, with 400 for a status."""
        with contextlib.suppress(ValueError, TypeError):
            status = int(error.status)
            said = f"{error.code} {error.message}".lower()
            if status == 409 or "duplicate" in said:
                return _Duplicate()
            if status == 404 and "bucket" not in said:
                return _Missing()
            if status == 404:
                return self._misconfigured(f"there is no bucket {self.name}; make it, or set IMAGEN_BUCKET")
            if status in (401, 403):
                return self._misconfigured("it does not accept the key; correct SUPABASE_SERVICE_KEY")
            if status == 413:
                return ObjectRefused(
                    "the picture is larger than the bucket allows; raise the limit of the bucket"
                )
            if 300 <= status < 400:
                return self._misconfigured("another address answers for it; correct SUPABASE_URL")
            if 400 <= status < 500 and status not in (408, 425, 429):
                return self._misconfigured(f"it refuses with status {status}{_named(error)}")
            return self._unavailable(f"refuses with status {status}{_named(error)}")
        return self._unavailable("answers, but not as Supabase Storage does; look at SUPABASE_URL")

    def _misconfigured(self, why: str) -> StorageMisconfigured:
        return StorageMisconfigured(f"The store {self._url} refuses: {why}.")

    def _unavailable(self, what: str) -> StorageUnavailable:
        return StorageUnavailable(f"The store {self._url} cannot be used now: it {what}.")


class _Duplicate(Exception):
    """Something lies at the key."""


class _Missing(Exception):
    """Nothing lies at the key."""


def _named(error: StorageApiError) -> str:
    code = str(error.code)
    return f" ({code})" if _CODE.fullmatch(code) and not code.isdigit() else ""
