"""Where things are in a store: keys by content, names of outputs, and places as texts for people."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import PurePosixPath

from lib.storage.port import ArtifactMismatch, StoredArtifact


def artifact_of(sha256: str, bytes: int) -> StoredArtifact:
    """The artifact of that content, whether it is stored or not.

    Raises:
        ArtifactMismatch: that is no sha256.
    """
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ArtifactMismatch(f"{sha256[:80]!r} is no sha256; nothing was stored.")
    return StoredArtifact(f"blobs/sha256/{sha256[:2]}/{sha256}", sha256, bytes)


def output_key(name: str) -> str:
    """`outputs/<name>`. Raises ValueError for a name that no validator let pass."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts:
        raise ValueError(f"{name!r} is no validated output name")
    return "/".join(("outputs", *parts))


def shared_folder(places: Sequence[str]) -> str:
    """The longest folder that all places are below, with its slash; "" when there is none to shorten by.

    Places are paths or URLs, so this compares texts: a `//` stays one.
    """
    folders = [place.split("/")[:-1] for place in places]
    alike = takewhile(lambda segments: len(set(segments)) == 1, zip(*folders, strict=False))
    shared = [segments[0] for segments in alike]
    return "/".join(shared) + "/" if any(shared[1:]) else ""
