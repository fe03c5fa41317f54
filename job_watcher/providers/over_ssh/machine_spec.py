"""One entry of SSH_MACHINES: which machine, and how many workers it gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lib.errors import BadConfiguration
from lib.workers.ssh import SshAddress

MOST_BY_ITSELF: Final = 4  # workers of a machine for which no number is said: as on this machine


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """`user@host:port`, and behind it `*N` for N workers, or `*gpu` for one on each of its GPUs."""

    address: SshAddress
    workers: int | None = None  # None: by its cores, or its GPUs
    wants_gpu: bool = False

    @classmethod
    def read(cls, text: str) -> MachineSpec:
        """From its form in SSH_MACHINES. Raises ValueError."""
        place, star, number = text.partition("*")
        address = SshAddress.read(place)
        if not star:
            return cls(address)
        return cls(address, wants_gpu=True) if number == "gpu" else cls(address, int(number))

    @property
    def name(self) -> str:
        """The machine's name."""
        return str(self.address)

    def count(self, cores: int, gpus: int) -> int:
        """How many workers: as was said, else one for each GPU that is wanted, or each core to four."""
        if self.workers is not None:
            return self.workers
        return max(1, gpus) if self.wants_gpu else max(1, min(cores, MOST_BY_ITSELF))


def read_machines(entries: Iterable[str], origin: str) -> list[MachineSpec]:
    """All entries. `origin` names the setting and where it came from.

    Raises:
        BadConfiguration: there is none, one is wrong, or one machine stands there twice.
    """
    found: list[MachineSpec] = []
    for entry in entries:
        try:
            found.append(MachineSpec.read(entry))
        except ValueError as error:
            raise BadConfiguration(
                f"{origin} cannot be read: {error}; write user@host:port, and *N behind it for N workers"
            ) from None
    if not found:
        raise BadConfiguration(
            "PROVIDER is ssh and SSH_MACHINES names no machine; set it to user@host:port, several with "
            "commas between"
        )
    names = [spec.name for spec in found]
    for name in names:
        if names.count(name) > 1:
            raise BadConfiguration(f"{origin} names {name} twice; write {name}*2 for two workers on it")
    return found
