"""The deployment's name: what our machines' labels say, the same after any restart and on a stand-by."""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lib.errors import BadConfiguration
from lib.files import write_whole

_NEAR: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})


def deployment_name(queue_url: str, prefix: str, data: Path) -> str:
    """What stands in the labels of our machines and tells them from another queue's on the same account.

    `queue_url` is empty for the embedded server, `prefix` that of the queue's keys, `data` the data folder.

    It is made of the queue's name and place, so that a stand-by on another host with the same settings, and a
    sweep without queue and ledger, come to the same. A queue that only this computer can reach is told from
    others' by the computer, and the embedded one by a word in its data folder.

    Raises:
        BadConfiguration: that word cannot be kept.
    """
    place = _place(queue_url) if queue_url else _own_word(data)
    mark = hashlib.sha256(f"{place} {prefix}".encode()).hexdigest()[:8]
    name = re.sub(r"[^a-z0-9]+", "-", prefix.lower()).strip("-")[:24].strip("-")
    return f"{name or 'jobs'}-{mark}"


def _place(url: str) -> str:
    """Where the queue is, without user and password, which may change."""
    address = urlsplit(url)
    try:
        place = f"{address.hostname or ''}:{address.port or 6379}{address.path}"
    except ValueError:
        place = url.rpartition("@")[2]
    return f"{place} of {_this_computer()}" if (address.hostname or "") in _NEAR else place


def _this_computer() -> str:
    try:
        known = Path("/etc/machine-id").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        known = ""
    return f"{known} {socket.gethostname()}"


def _own_word(data: Path) -> str:
    file = data / "deployment"
    try:
        known = file.read_text(encoding="ascii", errors="replace").strip() if file.exists() else ""
        if not re.fullmatch(r"[0-9a-f]{16}", known):
            known = secrets.token_hex(8)
            write_whole(file, known.encode(), sync=True)
    except OSError as error:
        raise BadConfiguration(
            f"{file} cannot be kept: {error.strerror}. Set JOBS_DATA_DIR to a folder this user may write."
        ) from None
    return known
