"""From the settings beside STORAGE_URL to what a bucket is opened with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class Hidden(Protocol):
    """A text that does not show by accident."""

    def reveal(self) -> str:
        """The text itself."""
        ...


class AccessSettings(Protocol):
    """The settings, under their own names."""

    @property
    def aws_access_key_id(self) -> str | None:
        """The key's id."""
        ...

    @property
    def aws_secret_access_key(self) -> Hidden | None:
        """The key's secret."""
        ...

    @property
    def aws_session_token(self) -> Hidden | None:
        """The token of a key that ends by itself."""
        ...

    @property
    def aws_region(self) -> str | None:
        """Where a bucket is whose URL does not say."""
        ...


@dataclass(frozen=True, slots=True)
class S3Access:
    """What is not in the URL. Without a key id, boto3 looks where it usually does (a machine's role)."""

    key_id: str | None = None
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    region: str | None = None


def s3_access_of(settings: AccessSettings) -> S3Access:
    """Take them out of the settings."""
    secret, token = settings.aws_secret_access_key, settings.aws_session_token
    return S3Access(
        settings.aws_access_key_id,
        None if secret is None else secret.reveal(),
        None if token is None else token.reveal(),
        settings.aws_region,
    )
