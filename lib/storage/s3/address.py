"""From `s3://bucket/prefix?endpoint=...&region=...` to where a bucket is and how it is spoken to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from lib.errors import BadConfiguration

FORM: Final = "s3://bucket/prefix?endpoint=https://host&region=name"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SEGMENT: Final = re.compile(r"[^\x00-\x1f\x7f/\\?#]+")
_ENDPOINT: Final = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?")
_REGION: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_R2: Final = ".r2.cloudflarestorage.com"
_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn")


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where a store is. `endpoint` is None for Amazon's own; `prefix` has no slash at either end."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str

    @property
    def url(self) -> str:
        """The URL that its places begin with."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"

    @property
    def server(self) -> str:
        """Who is asked, for sentences."""
        return self.endpoint or f"Amazon S3 ({self.region})"

    @property
    def by_path(self) -> bool:
        """Whether the bucket stands in a request's path: own servers rarely have a host name for each."""
        return self.endpoint is not None and not _host(self.endpoint).endswith(_AWS)

    def key(self, key: str) -> str:
        """A key of ours as the bucket has it."""
        return f"{self.prefix}/{key}" if self.prefix else key


def address_of(url: str, region: str | None) -> S3Address:
    """Take a STORAGE_URL apart; `region` is what AWS_REGION says.

    Raises:
        BadConfiguration: it is none; the sentence repeats nothing of it that may be a secret.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise _wrong("holds a user or a password; credentials belong into AWS_ACCESS_KEY_ID and its secret")
    if not _BUCKET.fullmatch(parts.netloc):
        raise _wrong("names no bucket: 3 to 63 of the characters a-z 0-9 . -")
    given = _query(parts)
    endpoint = given.get("endpoint") or None
    if endpoint is not None and not _ENDPOINT.fullmatch(endpoint):
        raise _wrong("has an endpoint that is not http(s)://host or http(s)://host:port")
    named = given.get("region") or region or _usual_region(endpoint)
    if named is None:
        raise _wrong(
            "names no region, which Amazon S3 needs; add ?region=eu-central-1, say, or set AWS_REGION"
        )
    if not _REGION.fullmatch(named):
        raise _wrong("has a region that is no region's name, like eu-central-1")
    return S3Address(parts.netloc, _prefix(parts), endpoint and endpoint.rstrip("/"), named)


def _query(parts: SplitResult) -> dict[str, str]:
    if parts.fragment:
        raise _wrong("has a #, which no part of it may hold")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(given) - {"endpoint", "region"})
    if unknown:
        raise _wrong("has something else than endpoint and region behind its ?")
    return given


def _prefix(parts: SplitResult) -> str:
    prefix = unquote(parts.path).strip("/")
    segments = prefix.split("/") if prefix else []
    if any(segment in (".", "..") or not _SEGMENT.fullmatch(segment) for segment in segments):
        raise _wrong(
            "has a prefix with an empty segment, a dot segment or a character that no key should have"
        )
    return prefix


def _usual_region(endpoint: str | None) -> str | None:
    if endpoint is None:
        return None
    return "auto" if _host(endpoint).endswith(_R2) else "us-east-1"


def _host(endpoint: str) -> str:
    return urlsplit(endpoint).hostname or ""


def _wrong(what: str) -> BadConfiguration:
    return BadConfiguration(f"STORAGE_URL {what}. Its form is {FORM}")
