"""What a store keeps of S3: tried once, because some take a condition or a checksum and ignore it."""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lib.storage.s3.client import S3Connection, code_of, status_of

log = logging.getLogger(__name__)

_FOLDER: Final = "probe"
_ONE, _OTHER = b"one", b"other"
_PASSING: Final = frozenset({"RequestTimeout", "ConditionalRequestConflict", "OperationAborted"})
_NOBODYS: Final = '"00000000000000000000000000000000"'  # an etag that no object has


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What was found. Each is False where the store ignores it or does not take it.

    `puts`, `copies`, `deletes`: conditions of these requests. `takes_sha256`: it takes a SHA-256 with an
    upload; `checks_sha256`: it refuses bytes of another one.
    """

    puts: bool = True
    copies: bool = True
    deletes: bool = True
    takes_sha256: bool = True
    checks_sha256: bool = True
    ahead_s: float | None = None

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it does not keep, and what that means, as sentences."""
        found = []
        if not self.puts:
            found.append(
                "it ignores conditions (If-None-Match, If-Match), so watchers of several machines may "
                "publish one name at once and the older one win"
            )
        if not self.checks_sha256:
            found.append(
                "it does not compare uploads with their SHA-256, so each is read back whole, and machines "
                "upload through the watcher"
            )
        return tuple(found)


def probe(connection: S3Connection) -> Capabilities:
    """Try on an object of our own, which is removed again.

    Raises:
        StorageUnavailable: the store refuses what every store does, or does not give back what it took.
    """
    address = connection.address
    key = address.key(f"{_FOLDER}/{secrets.token_hex(8)}")
    at = {"Bucket": address.bucket, "Key": key}
    with connection.refusals():
        client = connection.client
        answer = client.put_object(**at, Body=_ONE)
        try:
            # Whoever takes everything and gives nothing back is a proxy, or a web server: no store.
            if client.get_object(**at)["Body"].read(len(_ONE) + 1) != _ONE:
                raise connection.no_store()
            return Capabilities(
                puts=_refuses(client.put_object, **at, Body=_OTHER, IfNoneMatch="*")
                and _refuses(client.put_object, **at, Body=_OTHER, IfMatch=_NOBODYS),
                copies=_refuses(
                    client.copy_object, **at, CopySource=at, MetadataDirective="REPLACE", IfNoneMatch="*"
                ),
                deletes=_refuses(client.delete_object, **at, IfMatch=_NOBODYS),
                takes_sha256=_takes(client.put_object, **at, Body=_ONE, ChecksumSHA256=_sha256(_ONE)),
                checks_sha256=_refuses(client.put_object, **at, Body=_OTHER, ChecksumSHA256=_sha256(_ONE)),
                ahead_s=connection.skew_s(answer),
            )
        finally:
            client.delete_object(**at)


def _refuses(act: Any, **parameters: Any) -> bool:
    """Whether the store refuses this for its condition or bytes; one that does not know it keeps none."""
    answer = _refusal(act, parameters)
    return answer is not None and status_of(answer) in (304, 400, 412) and not _is_unknown(answer)


def _takes(act: Any, **parameters: Any) -> bool:
    return _refusal(act, parameters) is None


def _refusal(act: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        act(**parameters)
    except ClientError as error:
        if status_of(error.response) not in (304, 400, 409, 412, 501) or code_of(error.response) in _PASSING:
            raise
        return error.response
    return None


def _is_unknown(answer: Mapping[str, Any]) -> bool:
    code = str(answer.get("Error", {}).get("Code", ""))
    return code in ("NotImplemented", "InvalidArgument", "InvalidRequest")


def _sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
