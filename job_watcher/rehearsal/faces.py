"""How one watcher sees the simulated world: through a network that loses, delays and lies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from job_watcher.renting.ports import Contact, Settled, Unreachable
from job_watcher.rehearsal.faults import Fault
from job_watcher.rehearsal.market import Lot
from lib.errors import Unavailable
from lib.jobqueue import ErrorClass, Failure, JobQueue, Lease
from lib.providers.rental import (
    BillLine,
    HalfRented,
    Listing,
    NoOffer,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rental,
    RentalOffer,
    RentalStatus,
)
from lib.spool import Files, InvalidSpoolData, SpoolClient
from lib.storage import StorageUnavailable
