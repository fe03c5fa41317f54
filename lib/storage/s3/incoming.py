"""What machines put into a bucket by signed URLs, below `incoming/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO, Final

from lib.storage.incoming import INCOMING, incoming_key, is_incoming
from lib.storage.port import IncomingFile
from lib.storage.s3.objects import Objects

_MOST_PAGES: Final = 10  # of a listing, with 1,000 files each; what is behind them is seen another time


class S3Incoming:
    """`Incoming` in a bucket. Nothing but the key is signed: a machine does not know its bytes beforehand.

    Threads: any.
    Raises: as `Incoming`.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def sign(self, name: str, *, life_s: int) -> str:
        """A presigned PUT."""
        with self._objects.connection.refusals():
            url: str = self._objects.client.generate_presigned_url(
                "put_object", Params=self._objects.at(incoming_key(name)), ExpiresIn=life_s
            )
        return url

    def list(self) -> Sequence[IncomingFile]:
        """Page by page."""
        objects, after, files = self._objects, dict[str, str](), list[IncomingFile]()
        prefix = objects.address.key(INCOMING)
        for _ in range(_MOST_PAGES):
            with objects.connection.refusals():
                page = objects.client.list_objects_v2(Bucket=objects.address.bucket, Prefix=prefix, **after)
            files += filter(None, (_file(item, prefix) for item in page.get("Contents", ())))
            after = {"ContinuationToken": page.get("NextContinuationToken", "")}
            if not page.get("IsTruncated") or not after["ContinuationToken"]:
                break
        return files

    def open(self, name: str) -> BinaryIO:
        """A stream over the network."""
        key = incoming_key(name)
        return self._objects.open(key, f"{key} is not in the store {self._objects.address.url}.")

    def remove(self, names: Sequence[str]) -> None:
        """Each by itself: not every store removes several at once."""
        for name in names:
            self._objects.delete(incoming_key(name))


def _file(item: dict[str, Any], prefix: str) -> IncomingFile | None:
    name = str(item["Key"]).removeprefix(prefix)
    if not is_incoming(name):
        return None
    return IncomingFile(name, int(item["Size"]), item["LastModified"].timestamp())
