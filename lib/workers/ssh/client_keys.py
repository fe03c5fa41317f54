"""Our own private key: read here, and what is wrong with it said as what it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncssh

from lib.files import read_plain
from lib.workers.ssh.errors import KeyFileUnusable

_MOST_BYTES: Final = 1 << 16
_MAKE_ONE: Final = "make one with: ssh-keygen -t ed25519 -N '' -f"
_USUAL: Final = ("id_ed25519_sk", "id_ecdsa_sk", "id_ed448", "id_ed25519", "id_ecdsa", "id_rsa", "id_dsa")


def client_keys(key_file: Path | None) -> Sequence[asyncssh.SSHKey]:
    """The key to log in with; none named: asyncssh takes those that it finds in ~/.ssh.

    Raises:
        KeyFileUnusable: there is none, or it is no private key that can be used without a person.
    """
    if key_file is None:
        folder = Path("~/.ssh").expanduser()
        if not any((folder / name).exists() for name in _USUAL):
            raise KeyFileUnusable(
                f"There is no private key in {folder} to log in with: set SSH_KEY_FILE to one, or "
                f"{_MAKE_ONE} {folder}/id_ed25519"
            )
        return ()
    try:
        data = read_plain(key_file, _MOST_BYTES, follow=True)
    except OSError as error:
        raise KeyFileUnusable(
            f"The key file {key_file} cannot be read ({error.strerror or error}): set SSH_KEY_FILE to a "
            "private key that this user may read."
        ) from None
    try:
        found = asyncssh.import_private_key(data)
    except (ValueError, asyncssh.KeyEncryptionError) as error:  # a wrong key is told as an error of value
        raise _unusable(key_file, data, error) from None
    _refuse_what_others_read(key_file)
    return [found]


def _refuse_what_others_read(key_file: Path) -> None:
    """As OpenSSH does, of files that are ours: a key that others can read is not ours alone."""
    looked = key_file.stat()
    if looked.st_uid == os.geteuid() and looked.st_mode & 0o077:
        raise KeyFileUnusable(
            f"The key file {key_file} can be read by others (mode {looked.st_mode & 0o777:04o}), and "
            f"whoever did may log in with it: chmod 600 {key_file}"
        )


def _unusable(key_file: Path, data: bytes, error: Exception) -> KeyFileUnusable:
    if "assphrase" in str(error) or isinstance(error, asyncssh.KeyEncryptionError):
        return KeyFileUnusable(
            f"The key file {key_file} has a passphrase, and nobody is here to type it: {_MAKE_ONE} FILE for "
            "this machine, and set SSH_KEY_FILE to it."
        )
    if data.startswith((b"ssh-", b"ecdsa-", b"sk-")):
        return KeyFileUnusable(
            f"The key file {key_file} holds the public half of a key: set SSH_KEY_FILE to the private half, "
            "which has the same name without .pub."
        )
    return KeyFileUnusable(
        f"The key file {key_file} holds no private key that can be read: set SSH_KEY_FILE to one, or "
        f"{_MAKE_ONE} FILE"
    )
