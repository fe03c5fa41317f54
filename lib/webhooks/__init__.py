"""Tells a receiver over HTTP what happened: a durable outbox, signed posts, patience for a day."""

from __future__ import annotations

from lib.webhooks.opening import open_sender
from lib.webhooks.outbox import Outbox
from lib.webhooks.receiver import Receiver, receiver_of
from lib.webhooks.sender import WebhookSender
from lib.webhooks.signing import signature, verify
from lib.webhooks.sink import WebhookSink

__all__ = [
    "Outbox",
    "Receiver",
    "WebhookSender",
    "WebhookSink",
    "open_sender",
    "receiver_of",
    "signature",
    "verify",
]
