"""The one loop that gets jobs done, over a queue and hosts: see `dispatcher`."""

from __future__ import annotations

from lib.dispatch.delivery import StorageDelivery
from lib.dispatch.dispatcher import Dispatcher
from lib.dispatch.hosts import HostView
from lib.dispatch.journal import LeaseJournal
from lib.dispatch.left import LeftSpools
from lib.dispatch.parts import Limits, Parts, Rhythm
from lib.dispatch.port import Delivery, Journal, MemoryJournal, Publication, Settled
from lib.dispatch.supervisor import WorkerGivenUp

__all__ = [
    "Delivery",
    "Dispatcher",
    "HostView",
    "Journal",
    "LeaseJournal",
    "LeftSpools",
    "Limits",
    "MemoryJournal",
    "Parts",
    "Publication",
    "Rhythm",
    "Settled",
    "StorageDelivery",
    "WorkerGivenUp",
]
