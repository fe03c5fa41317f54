"""Reads what Vast says of rentals. A row that cannot be read makes a listing incomplete, never shorter."""

from __future__ import annotations

import re
from typing import Any, Final

from lib.providers.rental import Endpoint, Rental, RentalStatus
from lib.providers.vast.fields import (
    Row,
    Unreadable,
    amount,
    as_row,
    for_people,
    identity,
    micros,
    optional_text,
)

_SSH: Final = "22/tcp"
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39}")

_STATUS: Final = {
    "": RentalStatus.STARTING,
    "created": RentalStatus.STARTING,
    "loading": RentalStatus.STARTING,
    "scheduling": RentalStatus.STARTING,
    "restarting": RentalStatus.STARTING,
    "rebooting": RentalStatus.STARTING,
    "recycling": RentalStatus.STARTING,
    "running": RentalStatus.RUNNING,
    "stopped": RentalStatus.STOPPED,
    "exited": RentalStatus.BROKEN,
    "frozen": RentalStatus.BROKEN,
    "offline": RentalStatus.OFFLINE,
    "unknown": RentalStatus.OFFLINE,
}
#: Of these, what another host would say as well.
_BAD_IMAGE: Final = re.compile(
    r"(?i)manifest (?:for .{1,300} )?(?:unknown|not found)|pull access denied|unauthorized"
)
#: What a host says when the image will never run there. Docker says "Retrying" while all is well.
_HOPELESS: Final = re.compile(
    r"(?i)manifest (?:for .{1,300} )?(?:unknown|not found)|pull access denied|unauthorized|toomanyrequests"
    r"|download failed after|tls handshake timeout|no space left on device"
    r"|nvidia-container-cli|oci runtime create failed|unresolvable cdi|nvml"
)


def read_rental(row: object) -> Rental:
    """One rental.

    Raises:
        Unreadable: it lacks its id, price, start or machine, or has something else in their place.
    """
    found = as_row(row, "a rental")
    status = _status(found)
    return Rental(
        instance=str(identity(found, "id")),
        label=optional_text(found, "label"),
        status=status,
        hourly_micros=micros(amount(found, "dph_total")),
        machine_id=str(identity(found, "machine_id")),
        started_at=amount(found, "start_date"),
        message=_message(found),
        endpoints=_endpoints(found),
        progress=_progress(found) if status is RentalStatus.STARTING else "",
        is_image_bad=status is RentalStatus.BROKEN and _says(found, _BAD_IMAGE),
    )


def _status(row: Row) -> RentalStatus:
    """What it does. We stop no machine: one that is to be stopped was stopped by somebody else.

    A word that we do not know is the beginning of something; how long that may last is limited elsewhere.
    """
    if "actual_status" not in row:
        raise Unreadable("actual_status is missing")
    actual = optional_text(row, "actual_status")
    current, following = optional_text(row, "cur_state"), optional_text(row, "next_state")
    halted = bool(actual) and current == following == "stopped"  # in its first moments that means nothing
    if halted or optional_text(row, "intended_status") == "stopped":
        return RentalStatus.STOPPED
    status = _STATUS.get(actual, RentalStatus.STARTING)
    return RentalStatus.BROKEN if status is RentalStatus.STARTING and _says(row, _HOPELESS) else status


def _says(row: Row, words: re.Pattern[str]) -> bool:
    told = row.get("status_msg")
    return isinstance(told, str) and "retrying" not in told.lower() and bool(words.search(told))


def _progress(row: Row) -> str:
    return f"{row.get('actual_status')}: {for_people(row.get('status_msg') or '')}"


def _message(row: Row) -> str:
    told = row.get("status_msg")
    status = row.get("actual_status")
    words = told if isinstance(told, str) and told.strip() else ""
    return for_people(f"{status}: {words}" if words else (status or ""))


def _endpoints(row: Row) -> tuple[Endpoint, ...]:
    """The machine itself, then the proxy, each with its own port. What cannot be read is left out."""
    ways = (
        (row.get("public_ipaddr"), _mapped_port(row.get("ports")), True),
        (row.get("ssh_host"), row.get("ssh_port"), False),
    )
    found = (_endpoint(host, port, direct=direct) for host, port, direct in ways)
    return tuple(endpoint for endpoint in found if endpoint is not None)


def _mapped_port(ports: object) -> object:
    mappings = ports.get(_SSH) if isinstance(ports, dict) else None
    first = mappings[0] if isinstance(mappings, list) and mappings else None
    return first.get("HostPort") if isinstance(first, dict) else None


def _endpoint(host: object, port: Any, *, direct: bool) -> Endpoint | None:
    name = host.strip() if isinstance(host, str) else ""
    number = str(port)
    if not _HOST.fullmatch(name) or not re.fullmatch(r"[1-9][0-9]{0,4}", number) or int(number) > 65_535:
        return None
    return Endpoint(name, int(number), direct)
