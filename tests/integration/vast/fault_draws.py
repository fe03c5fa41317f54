"""A fault of Vast's requests, drawn by chance: what the campaigns have in common."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from job_watcher.rehearsal.vast import (
    RequestFault,
    edited,
    html_page,
    lost_reply,
    no_answer,
    rate_limited,
    server_error,
    silent_failure,
    truncated,
)

_ROUTES: Final = ("create", "list", "destroy", "search", "user", "charges", "show")


def drawn_fault(chance: random.Random, *, latest: int, most: int) -> RequestFault:
    """One of any kind, from the first to the `latest` request of a route on, `most` times at most."""
    route, nth, times = chance.choice(_ROUTES), chance.randint(1, latest), chance.randint(1, most)
    kinds: list[Callable[[], RequestFault]] = [
        lambda: lost_reply(route, nth, times),
        lambda: no_answer(route, nth, times),
        lambda: server_error(route, chance.choice([500, 502, 503]), nth, times, effect=chance.random() < 0.5),
        lambda: html_page(route, nth, times, effect=chance.random() < 0.5),
        lambda: truncated(route, 30, nth, times),
        lambda: rate_limited(route, nth, times, plain=chance.random() < 0.5),
        lambda: silent_failure("create", chance.randint(1, 2)),
        lambda: edited("list", lambda body: body | {"instances": [], "total_instances": 0}, nth, times),
        lambda: edited("create", lambda body: body | {"success": False}, chance.randint(1, 2)),
    ]
    return chance.choice(kinds)()
