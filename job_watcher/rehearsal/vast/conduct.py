"""How a machine of the fake Vast behaves: how fast it comes up, where it gets stuck, what befalls it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mishap(StrEnum):
    """What may befall a rented machine, whenever it is told to."""

    OUTBID = "outbid"  # somebody paid more: stopped without notice, the disk is billed on
    RESUME = "resume"  # an outbid machine has its GPU back and bills again
    EXIT = "exit"  # its container ended
    OFFLINE = "offline"  # its host is away; what runs on it goes on
    ONLINE = "online"  # its host is back
    UNKNOWN = "unknown"  # its host says nothing that is understood
    SSH_DEAD = "ssh_dead"  # runs, and no SSH server answers
    SSH_BACK = "ssh_back"
    DIRECT_DEAD = "direct_dead"  # the direct port is refused
    PROXY_DEAD = "proxy_dead"  # the proxy's port is refused
    CUT = "cut"  # every SSH connection breaks; new ones are taken
    GPU_GONE = "gpu_gone"  # nvidia-smi fails from now on
    KEYS_LOST = "keys_lost"  # authorized_keys is empty: nobody is let in
    KEYS_REFRESHED = "keys_refreshed"  # authorized_keys is written anew: only keys that Vast knows


@dataclass(frozen=True, slots=True)
class Conduct:
    """Seconds are the fake's, each from the end of the step before.

    `stuck_at` is the status that it does not leave: "null", "created" or "loading"; `message` is what
    status_msg says there. `befalls` are mishaps, each so many seconds after it first runs. `gpu_shown` is the
    GPU that nvidia-smi names when it is not the one that was offered; "" for none at all.
    """

    null_s: float = 2.0
    created_s: float = 1.0
    loading_s: float = 20.0
    ssh_after_s: float = 3.0
    stuck_at: str | None = None
    message: str | None = None
    image_gb: float = 0.0  # downloaded while loading, and billed
    gpu_shown: str | None = None
    befalls: tuple[tuple[float, Mishap], ...] = ()
