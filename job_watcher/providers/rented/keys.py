"""A key pair for each rented machine: made before it is rented, and kept where any leader finds it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from lib.errors import BadConfiguration, Unavailable
from lib.files import write_whole
from lib.machines.model import MachineKey
from lib.machines.port import Ledger
from lib.workers.ssh import KeyPair, OneMachine, key_pair_of, new_key_pair


class KeyMissing(Unavailable):
    """The ledger has no key for a machine: it was rented by a program that kept none, or is gone."""


class MachineKeys:
    """Keeps them in the ledger. A copy of each (0600) lies in `folder` while its machine is used.

    Threads: any.
    Raises, from every method: Unavailable where the ledger does not answer, BadConfiguration where the folder
        cannot be written.
    """

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger, self._folder = ledger, folder

    def make(self, token: str) -> KeyPair:
        """The pair of a machine that is about to be rented; after a crash the one that was made before.

        Raises:
            ValueError: the machine was never planned.
        """
        kept = self._ledger.keep_key(token, MachineKey(new_key_pair().private))
        return key_pair_of(kept.private)

    def nonce(self, token: str) -> str:
        """What a machine was told at its start, and answers with: nobody else knows it, and it is no key.

        Raises:
            KeyMissing: there is no key to make it of.
        """
        return nonce_of(self._key(token).private)

    def file(self, token: str) -> Path:
        """The private key as a file. Raises KeyMissing."""
        key, folder = self._key(token), self._folder / token
        try:
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            file = folder / "key"
            write_whole(file, key.private.encode("ascii"), sync=False)
            file.chmod(0o600)
        except OSError as error:
            raise BadConfiguration(
                f"The key of a rented machine cannot be written to {folder}: {error.strerror}. "
                "Set JOBS_DATA_DIR to a folder this user may write."
            ) from None
        return file

    def known(self, token: str) -> OneMachine:
        """What the machine is known by: the key that it showed first, to any leader. Raises KeyMissing."""
        return OneMachine(token, self._key(token).host_key, lambda line: self._ledger.pin(token, line))

    def forget(self, token: str) -> None:
        """Take the copy away. The ledger forgets the key when the machine is certainly gone."""
        shutil.rmtree(self._folder / token, ignore_errors=True)

    def _key(self, token: str) -> MachineKey:
        found = self._ledger.key(token)
        if found is None:
            raise KeyMissing(f"The ledger holds no key of the machine {token}: it cannot be reached.")
        return found


def nonce_of(private: str) -> str:
    """A word that only who has the private key can say beforehand, and that says nothing of the key."""
    return hashlib.sha256(b"nonce of a rented machine\0" + private.encode("ascii")).hexdigest()[:32]
