"""Where a machine is: `user@host:port`, and the key that it wants, where that is another one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FORM: Final = re.compile(
    r"(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)"
    r"@(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)"
    r"(:(?P<port>\d{1,5}))?(\?key=(?P<key>[^\s,?]+))?"
)
_USUAL_PORT: Final = 22


@dataclass(frozen=True, slots=True)
class SshAddress:
    """One entry of SSH_MACHINES. `key` is its own private key, in place of SSH_KEY_FILE."""

    user: str
    host: str  # a name or an address; an IPv6 address without its brackets
    port: int = _USUAL_PORT
    key: Path | None = None

    @classmethod
    def read(cls, text: str) -> SshAddress:
        """From `user@host:port`, or with `?key=FILE` behind it.

        Raises:
            ValueError: it is no such address.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no user@host:port")
        port = int(found["port"] or _USUAL_PORT)
        if not 0 < port < 65_536:
            raise ValueError(f"{text!r}: ports go from 1 to 65535")
        key = None if found["key"] is None else Path(found["key"]).expanduser()
        return cls(found["user"], found["host"].strip("[]"), port, key)

    @property
    def known_as(self) -> str:
        """The host as a file of known hosts has it: `host`, or `[host]:port` off the usual port."""
        return self.host if self.port == _USUAL_PORT else f"[{self.host}]:{self.port}"

    def __str__(self) -> str:
        """As it is written: `user@host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{self.port}"
