"""The keys of the fake Vast: the account's, the one of each instance, and the SSH keys."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from job_watcher.rehearsal.vast.refusal import ApiRefusal

ALL_SCOPES: Final = frozenset(
    {"user_read", "user_write", "instance_read", "instance_write", "billing_read", "billing_write", "misc"}
)
#: What a restricted key may do, and only to its own instance.
_OF_THE_INSTANCE: Final = frozenset({"manage", "destroy"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `instance` is the only one that a restricted key may touch."""

    name: str
    instance: int | None = None


@dataclass(slots=True)
class KeyRing:
    """Who may ask for what. `scopes` are the account key's; `auth_status` is how a wrong key is refused.

    Threads: whoever holds the lock of the fake.
    Raises: ApiRefusal.
    """

    account: str
    scopes: frozenset[str] = ALL_SCOPES
    auth_status: int = 401
    revoked: bool = False
    _restricted: dict[str, int] = field(default_factory=dict)

    def restricted_for(self, instance: int) -> str:
        """A new key that may start, stop and destroy one instance."""
        key = secrets.token_hex(32)
        self._restricted[key] = instance
        return key

    def forget(self, instance: int) -> None:
        """The instance is gone, and so is its key."""
        self._restricted = {key: owner for key, owner in self._restricted.items() if owner != instance}

    def caller(self, authorization: str) -> Caller:
        """Whose key stands in an Authorization header."""
        scheme, _, key = authorization.partition(" ")
        if scheme == "Bearer" and key == self.account and not self.revoked:
            return Caller("account")
        if scheme == "Bearer" and key in self._restricted:
            instance = self._restricted[key]
            return Caller(f"instance {instance}", instance)
        raise ApiRefusal(self.auth_status, "auth_error", "Invalid user key")

    def check(self, caller: Caller, route: str, scope: str, instance: int | None) -> None:
        """Refuse what the key may not do."""
        if caller.instance is None:
            if scope not in self.scopes:
                raise ApiRefusal(403, "forbidden", f"API key lacks permission {scope} for this endpoint.")
        elif route not in _OF_THE_INSTANCE or instance != caller.instance:
            raise ApiRefusal(403, "forbidden", "Not permitted with the key of an instance.")


class SshKeyBook:
    """The SSH keys of the account, and those attached to one instance.

    Threads: whoever holds the lock of the fake.
    Raises: ApiRefusal.
    """

    def __init__(self) -> None:
        self.is_team = False  # a team's key may not add SSH keys
        self._next = 501
        self._account: dict[int, dict[str, Any]] = {}
        self._attached: dict[int, list[dict[str, Any]]] = {}

    def create(self, text: str, now: float) -> dict[str, Any]:
        """Add one to the account: for instances made from now on. The same text twice is two keys."""
        if self.is_team:
            raise ApiRefusal(400, "team_ssh_keys_not_supported", "Team keys cannot have SSH keys.")
        row = self._row(text, now)
        self._account[row["id"]] = row
        return row

    def rows(self) -> list[dict[str, Any]]:
        """The account's. None at all is an error, as Vast has it."""
        if not self._account:
            raise ApiRefusal(404, "not_found", "No SSH keys found for the user.")
        return list(self._account.values())

    def update(self, key: int, text: str) -> dict[str, Any]:
        """Replace one of the account's."""
        row = self._existing(key)
        row["public_key"] = row["key"] = _checked(text)
        return row

    def delete(self, key: int) -> None:
        """Take one from the account; instances that have it keep it."""
        del self._account[self._existing(key)["id"]]

    def born(self, instance: int) -> None:
        """A new instance has the account's keys."""
        self._attached[instance] = list(self._account.values())

    def attach(self, instance: int, text: str, now: float) -> None:
        """Give an instance a key."""
        self._attached.setdefault(instance, []).append(self._row(text, now))

    def detach(self, instance: int, key: int) -> None:
        """Take one from an instance."""
        keys = self._attached.get(instance, [])
        if all(row["id"] != key for row in keys):
            raise ApiRefusal(400, "no_ssh_key", f"SSH key {key} not found.")
        self._attached[instance] = [row for row in keys if row["id"] != key]

    def of(self, instance: int) -> list[dict[str, Any]]:
        """The keys that an instance lets in."""
        return list(self._attached.get(instance, []))

    def _existing(self, key: int) -> dict[str, Any]:
        if key not in self._account:
            raise ApiRefusal(400, "no_ssh_key", f"SSH key {key} not found.")
        return self._account[key]

    def _row(self, text: str, now: float) -> dict[str, Any]:
        text = _checked(text)
        row = {"id": self._next, "user_id": 1, "key": text, "public_key": text}
        self._next += 1
        return row | {"created_at": now, "deleted_at": None}


def _checked(text: str) -> str:
    if not text.startswith(("ssh-", "ecdsa-", "sk-")) or len(text.split()) < 2 or "\n" in text.strip():
        raise ApiRefusal(400, "no_ssh_key", "Not an SSH public key.")
    return text.strip()
