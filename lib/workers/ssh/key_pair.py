"""A key pair of our own making, for one machine alone."""

from __future__ import annotations

from typing import Final, NamedTuple

import asyncssh

_KIND: Final = "ssh-ed25519"


class KeyPair(NamedTuple):
    """Both halves in OpenSSH's forms. `private` is a secret."""

    private: str
    public: str  # one line, without a name behind it: it tells the machine nothing of us


def new_key_pair() -> KeyPair:
    """Make one."""
    key = asyncssh.generate_private_key(_KIND)
    return KeyPair(key.export_private_key("openssh").decode("ascii"), _public(key))


def key_pair_of(private: str) -> KeyPair:
    """The pair of a private key that was made here.

    Raises:
        ValueError: it is none.
    """
    try:
        return KeyPair(private, _public(asyncssh.import_private_key(private)))
    except asyncssh.KeyImportError as error:
        raise ValueError(f"no private key: {error}") from None


def _public(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])


def fingerprint_of(public: str) -> str:
    """The fingerprint of a public key's line, as `ssh-keygen -l` has it: `SHA256:...`.

    Raises:
        ValueError: it is none.
    """
    try:
        return asyncssh.import_public_key(public).get_fingerprint()
    except asyncssh.KeyImportError as error:
        raise ValueError(f"no public key: {error}") from None
