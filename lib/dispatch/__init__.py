"""The one loop that gets jobs done, over a queue and hosts: see `dispatcher`."""

from __future__ import annotations

from lib.dispatch.carried_pieces import CarriedPieces
from lib.dispatch.delivery import StorageDelivery
from lib.dispatch.delivery_port import Delivery, Journal, MemoryJournal, Publication, Settled
from lib.dispatch.dispatcher import Dispatcher
from lib.dispatch.hosts import HostView
from lib.dispatch.journal import LeaseJournal
from lib.dispatch.left_spools import LeftSpools
from lib.dispatch.limits_and_intervals import DispatchIntervals, DispatchLimits, DispatchParts
from lib.dispatch.rejected_takes import RejectedTakes
from lib.dispatch.worker_supervisor import WorkerGivenUp

__all__ = [
    "CarriedPieces",
    "Delivery",
    "DispatchIntervals",
    "DispatchLimits",
    "DispatchParts",
    "Dispatcher",
    "HostView",
    "Journal",
    "LeaseJournal",
    "LeftSpools",
    "MemoryJournal",
    "Publication",
    "RejectedTakes",
    "Settled",
    "StorageDelivery",
    "WorkerGivenUp",
]
