"""The addresses that Vast answers, and the words by which the fake's faults and journal name them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from job_watcher.rehearsal.vast.keys import Caller


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """One address. `scope` is what the account's key needs for it; "" for none, and no key at all."""

    name: str
    method: str
    pattern: re.Pattern[str]
    scope: str


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call, read. `numbers` are those in its address: first an instance's, an ask's or a key's."""

    route: str
    caller: Caller
    numbers: tuple[int, ...]
    word: str = ""
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


def _route(name: str, method: str, path: str, scope: str) -> ApiRoute:
    pattern = path.replace("ID", r"(\d+)").replace("WORD", r"(?P<word>[0-9a-f]+)")
    return ApiRoute(name, method, re.compile(pattern.rstrip("/") + "/?"), scope)


ROUTES: Final = (
    _route("search", "POST", "/api/v0/bundles/", "misc"),
    _route("search", "PUT", "/api/v0/search/asks/", "misc"),
    _route("create", "PUT", "/api/v0/asks/ID/", "instance_write"),
    _route("list", "GET", "/api/v1/instances/", "instance_read"),
    _route("old_list", "GET", "/api/v0/instances/", "instance_read"),
    _route("show", "GET", "/api/v0/instances/ID/", "instance_read"),
    _route("manage", "PUT", "/api/v0/instances/ID/", "instance_write"),
    _route("destroy", "DELETE", "/api/v0/instances/ID/", "instance_write"),
    _route("reboot", "PUT", "/api/v0/instances/reboot/ID/", "instance_write"),
    _route("recycle", "PUT", "/api/v0/instances/recycle/ID/", "instance_write"),
    _route("bid", "PUT", "/api/v0/instances/bid_price/ID/", "instance_write"),
    _route("command", "PUT", "/api/v0/instances/command/ID/", "instance_write"),
    _route("request_logs", "PUT", "/api/v0/instances/request_logs/ID/", "instance_write"),
    _route("result", "GET", "/results/WORD", ""),
    _route("attach_ssh", "POST", "/api/v0/instances/ID/ssh/", "instance_write"),
    _route("attached_ssh", "GET", "/api/v0/instances/ID/ssh/", "instance_read"),
    _route("detach_ssh", "DELETE", "/api/v0/instances/ID/ssh/ID/", "instance_write"),
    _route("ssh_keys", "GET", "/api/v0/ssh/", "user_read"),
    _route("create_ssh_key", "POST", "/api/v0/ssh/", "user_write"),
    _route("update_ssh_key", "PUT", "/api/v0/ssh/ID/", "user_write"),
    _route("delete_ssh_key", "DELETE", "/api/v0/ssh/ID/", "user_write"),
    _route("user", "GET", "/api/v0/users/current/", "user_read"),
    _route("api_keys", "GET", "/api/v0/auth/apikeys/", "user_read"),
    _route("charges", "GET", "/api/v0/charges/", "billing_read"),
    _route("invoices", "GET", "/api/v1/invoices/", "billing_read"),
)


def route_of(method: str, path: str) -> tuple[ApiRoute, tuple[int, ...], str] | None:
    """The route of a request with what its address names, or None."""
    for route in ROUTES:
        found = route.pattern.fullmatch(path)
        if found and route.method == method:
            words = found.groupdict()
            numbers = () if words else tuple(int(each) for each in found.groups())
            return route, numbers, words.get("word", "")
    return None
