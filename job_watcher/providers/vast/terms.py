"""What is rented on Vast: asked of the engine's facts where the settings say nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from lib.errors import BadConfiguration
from lib.fleet import Caps, Policy
from lib.voices import EngineFacts

_IMAGE_GB: Final = 0.2
_UNPACKED_GB: Final = 3.0  # the image, and what is written beside the packages
_TIMES_PACKAGES: Final = 3.0  # as large as their download: that, and what is installed of it
_WORK_GB: Final = 8.0  # audio of jobs at hand, logs
_LEAST_DISK_GB: Final = 12


@dataclass(frozen=True, slots=True)
class RentTerms:
    """Image and disk, what is loaded, and how the fleet behaves."""

    image: str
    disk_gb: int
    download_gb: float
    policy: Policy


def terms_of(
    engine: EngineFacts,
    policy: Policy,
    *,
    image: str | None,
    disk_gb: int | None,
    models: int = 1,
    pictures_vram_gb: float = 0.0,
) -> RentTerms:
    """What machines for that engine need. `image` and `disk_gb` None: by its facts.

    `pictures_vram_gb` is what the backends need that draw there, beside the engine: a worker holds both.
    `models` are how many of its models may be downloaded there, one of them before the first job.
    """
    download = engine.download_gb + _IMAGE_GB + engine.packages_gb
    installed = _UNPACKED_GB + _TIMES_PACKAGES * engine.packages_gb
    weights = (models + 1) * engine.download_gb  # one is there twice while it is checked
    disk = disk_gb or max(_LEAST_DISK_GB, math.ceil(weights + installed + _WORK_GB))
    fitting = replace(
        policy,
        download_gb=download,
        least_disk_gb=float(disk),
        least_vram_gb=engine.least_vram_gb + pictures_vram_gb,
        least_cuda=max(policy.least_cuda, engine.least_cuda)
        if engine.least_vram_gb + pictures_vram_gb
        else 0.0,
    )
    return RentTerms(image or engine.image, disk, download, fitting)


def check_caps(policy: Policy, caps: Caps) -> None:
    """Refuse limits under which nothing could ever be rented, before anything is asked.

    Raises:
        BadConfiguration: one of them is nothing.
    """
    limits = {
        "MAX_MACHINES": policy.max_machines,
        "MAX_DPH": caps.hourly_price,
        "SPEND_CAP_HOUR": caps.hour,
        "SPEND_CAP_DAY": caps.day,
        "SPEND_CAP_MONTH": caps.month,
        "SPEND_CAP_MACHINE": caps.machine,
        "SPEND_CAP_BATCH": 1 if caps.batch is None else caps.batch,
    }
    for name, limit in limits.items():
        if limit <= 0:
            raise BadConfiguration(
                f"{name} is 0, and nothing may be rented: raise it, or set PROVIDER=local for this machine."
            )
