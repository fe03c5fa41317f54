"""Uploads finished audio from the machine that made it, by URLs that the client signed for just these bytes.

No right of the store is on this machine: only such a URL, for as long as it holds. Whatever goes wrong here
costs nothing but time: the client fetches what did not arrive.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lib.files import open_plain
from lib.spool import InvalidSpoolData, SpoolUnusable, UploadOrder, WorkerSpool

if TYPE_CHECKING:
    from http.client import HTTPConnection

_LOOK_EVERY_S: Final = 0.2
_SILENT_S: Final = 30.0  # a store that takes or says nothing for so long; the client waits no longer either
_END_WITHIN_S: Final = 5.0


class UploadFailed(Exception):
    """A file was not taken; the sentence says why, and nothing of the URL."""


class Uploader:
    """Does what lies in `upload/`, in a thread of its own. `say` takes a line for people."""

    def __init__(self, spool: WorkerSpool, say: Callable[[str], None]) -> None:
        self._spool, self._say = spool, say

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Look every now and then as long as the context lasts, and a little longer for what is at hand."""
        ended = threading.Event()

        def repeat() -> None:
            while not ended.wait(_LOOK_EVERY_S):
                try:
                    self.look()
                except SpoolUnusable:  # the main thread finds out and says so
                    continue
                except Exception as error:  # a thread that ends silently would upload nothing more
                    self._say(f"not uploaded: {type(error).__name__}")

        thread = threading.Thread(target=repeat, name="uploads", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(_END_WITHIN_S)
            with contextlib.suppress(SpoolUnusable):
                self._spool.sweep_uploads()  # an end that was said after the client had gone on

    def look(self) -> None:
        """Upload what is ordered now. Raises SpoolUnusable."""
        for entry in self._spool.ordered_uploads():
            try:
                orders = self._spool.upload_orders(entry)
            except InvalidSpoolData as error:
                self._say(f"not uploaded: {error.message}")
                orders = ()
            for order in orders:
                if not self._spool.has_order(entry):
                    break  # the client waits no longer: it fetches the rest, and others wait behind it
                try:
                    upload(self._spool.result_file(entry, order.file), order)
                except UploadFailed as error:
                    self._say(f"not uploaded: {order.file} of {entry}: {error}")
            self._spool.end_uploads(entry)


def upload(path: Path, order: UploadOrder) -> None:
    """Put one file, once. Raises UploadFailed."""
    from http.client import HTTPException

    try:
        with open(open_plain(path), "rb") as file:
            if os.fstat(file.fileno()).st_size != order.bytes:
                raise UploadFailed("it has another length than the order says")
            with contextlib.closing(_connection(order.url)) as connection:
                parts = urlsplit(order.url)
                headers = {**order.headers, "content-length": str(order.bytes)}
                connection.request("PUT", f"{parts.path}?{parts.query}", body=file, headers=headers)
                answer = connection.getresponse()
                if not 200 <= answer.status < 300:
                    raise UploadFailed(f"the store refuses it with status {answer.status}")
    except (OSError, HTTPException, ValueError) as error:  # of a URL, too; its words may repeat that
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UploadFailed(f"the store does not take it: {reason}") from None


def _connection(url: str) -> HTTPConnection:
    from http.client import HTTPConnection, HTTPSConnection

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=_SILENT_S)
