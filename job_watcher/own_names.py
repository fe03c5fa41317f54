"""What this computer and this process are called, for those who see several of them."""

from __future__ import annotations

import os
import re
import secrets
import socket


def unique_name() -> str:
    """Unique per process start: a name that comes back would inherit its predecessor's entries."""
    return f"{host_name()}-{os.getpid()}-{secrets.token_hex(4)}"


def host_name() -> str:
    """The computer's, made of letters, digits, '.', '_' and '-'; never empty."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:40] or "host"
