"""A fake Vast.ai on this computer: web server, market and bill, with real SSH servers as machines.

`FakeVast` is all of it; the other names are what it is told with.
"""

from __future__ import annotations

from job_watcher.rehearsal.clock import RehearsalClock
from job_watcher.rehearsal.vast.conduct import Conduct, Mishap
from job_watcher.rehearsal.vast.fake import FakeVast, RehearsalBill
from job_watcher.rehearsal.vast.faults import (
    RequestFault,
    edited,
    hang,
    html_page,
    lost_reply,
    no_answer,
    rate_limited,
    redirect,
    refused,
    server_error,
    silent_failure,
    truncated,
)
from job_watcher.rehearsal.vast.market import HostOffer, a_market

__all__ = [
    "Conduct",
    "FakeVast",
    "HostOffer",
    "Mishap",
    "RehearsalBill",
    "RehearsalClock",
    "RequestFault",
    "a_market",
    "edited",
    "hang",
    "html_page",
    "lost_reply",
    "no_answer",
    "rate_limited",
    "redirect",
    "refused",
    "server_error",
    "silent_failure",
    "truncated",
]
