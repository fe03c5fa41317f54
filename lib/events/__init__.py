"""Typed events and the one sink they go into; behind it logs, metrics and webhooks."""

from __future__ import annotations

from lib.events.sink import TRANSITION, EventSink, Fanout, LogSink, transition_of

__all__ = ["TRANSITION", "EventSink", "Fanout", "LogSink", "transition_of"]
