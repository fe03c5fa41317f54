"""Puts together whoever hears of events (log, metrics, webhooks) and whoever is asked (probes)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from job_watcher.logs import redactor
from job_watcher.probes import Page, PageAnswer, ProbeServer
from job_watcher.queue_failures import QueueFailures
from job_watcher.readiness import Moment, OpenQueue
from lib.clock import Clock
from lib.events import EventSink, Fanout, LogSink
from lib.events.metrics import CONTENT_TYPE, Gauge, Gauges, Metrics
from lib.webhooks import WebhookSender, WebhookSink, open_sender
from lib.webhooks.sender import Count

log = logging.getLogger(__name__)

_WAITING = "job_watcher_webhooks_waiting"


@dataclass(frozen=True, slots=True, repr=False)
class TellingOptions:
    """Who is told, and where one may ask; None: nobody, nowhere. Holds secrets, and so shows nothing."""

    listen: str | None
    webhook_url: str | None
    webhook_secret: str | None
    outbox: Path
    deployment: str
    watcher: str
    facts: Mapping[str, str]


@contextlib.contextmanager
def open_telling(
    options: TellingOptions, moment: Moment, clock: Clock, open_queue: OpenQueue
) -> Iterator[EventSink]:
    """The one sink of a watcher's events, with everything behind it.

    Raises:
        BadConfiguration: an address is wrong or taken, or there is no secret to sign with.
        MissingExtra: the packages for metrics are not installed.
    """
    sinks: list[EventSink] = [LogSink()]
    with contextlib.ExitStack() as stack:
        count: Count | None = None
        gauges: list[Gauges] = [moment.gauges]
        if options.listen is not None:
            metrics = Metrics(lambda: [gauge for asked in gauges for gauge in asked()], options.facts)
            sinks.append(metrics)
            count = metrics.count_webhook
            pages: dict[str, Page] = {
                "/livez": moment.live,
                "/readyz": moment.ready,
                "/metrics": lambda: PageAnswer(200, metrics.text(), CONTENT_TYPE),
            }
            server = ProbeServer(options.listen, pages, quick=("/livez",))
            stack.callback(moment.close)
            stack.callback(server.close)
            log.info("metrics and probes at http://%s/", server.address)
        if options.webhook_url is not None:
            sink, sender = stack.enter_context(_webhooks(options, clock, count, open_queue))
            sinks.append(sink)
            gauges.append(lambda: [Gauge(_WAITING, "Notifications that wait", {"": sender.waits})])
        yield Fanout(sinks, epoch=moment.epoch_now)


@contextlib.contextmanager
def _webhooks(
    options: TellingOptions, clock: Clock, count: Count | None, open_queue: OpenQueue
) -> Iterator[tuple[EventSink, WebhookSender]]:
    outbox, sender = open_sender(
        options.outbox, options.webhook_url or "", options.webhook_secret, clock, count=count
    )
    sink = WebhookSink(
        outbox,
        clock,
        deployment=options.deployment,
        watcher=options.watcher,
        wake=sender.wake,
        hide=redactor.hide,
    )
    failures = QueueFailures(open_queue, sink, options.outbox, may=lambda: sender.leads)
    sender.start()
    failures.start()
    try:
        yield sink, sender
    finally:
        failures.stop()
        sender.stop()
