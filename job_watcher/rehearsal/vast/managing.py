"""What Vast answers about instances that were rented: lists, one, and what is done to it."""

from __future__ import annotations

import base64
import binascii
import json
import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from job_watcher.rehearsal.vast.account import FakeAccount
from job_watcher.rehearsal.vast.filters import matches, ordered
from job_watcher.rehearsal.vast.instances import STORED_COLUMNS
from job_watcher.rehearsal.vast.refusal import ApiRefusal, invalid_args, no_such_instance
from job_watcher.rehearsal.vast.routes import ApiCall
from lib.foreign import parse_json

MOST_ROWS, ODD_LIMIT_ROWS = 25, 5
_LONGEST_LABEL: Final = 1024
_LONGEST_COMMAND: Final = 512
_COMMANDS: Final = ("ls", "rm", "du")


def list_page(account: FakeAccount, call: ApiCall) -> Any:
    """One page of the instances."""
    now, query = account.now(), call.query
    wanted = query.get("select_filters") or {}
    if not isinstance(wanted, Mapping) or not set(wanted) <= STORED_COLUMNS:
        raise ApiRefusal(400, "invalid_request", f"cannot filter by {', '.join(map(str, wanted))}")
    all_rows = [each.row(now) for each in account.lifecycle.seen(now)]
    order = [(str(each["col"]), str(each.get("dir", "asc"))) for each in query.get("order_by") or ()]
    rows = ordered([row for row in all_rows if matches(row, wanted)], order or [("id", "asc")])
    after = _after(query.get("after_token"))
    limit = int(query.get("limit") or 0)
    limit = min(limit, MOST_ROWS) if limit > 0 else ODD_LIMIT_ROWS
    start = (
        0 if after is None else next((i + 1 for i, row in enumerate(rows) if row["id"] == after), len(rows))
    )
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    return {
        "success": True,
        "instances_found": len(rows),
        "total_instances": len(all_rows),
        "label_counts": dict(Counter(row["label"] or "" for row in all_rows)),
        "next_token": _token(page[-1]["id"]) if more else None,
        "instances": page,
    }


def _token(last: int) -> str:
    return base64.b64encode(json.dumps({"values": {"id": last}}).encode()).decode()


def _after(token: object) -> int | None:
    if token in (None, ""):
        return None
    try:
        return int(parse_json(base64.b64decode(str(token), validate=True))["values"]["id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise ApiRefusal(400, "invalid_token", "after_token is not valid") from None


def old_list(account: FakeAccount, call: ApiCall) -> Any:
    """The list that was: clients that still ask for it see nothing."""
    raise ApiRefusal(
        410, "deprecated_endpoint", "/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead."
    )


def show(account: FakeAccount, call: ApiCall) -> Any:
    """One instance: an object under a plural name, null when there is none."""
    now, number = account.now(), call.numbers[0]
    found = next((each for each in account.lifecycle.seen(now) if each.id == number), None)
    if found is None and account.quirks.gone_is_404:
        raise no_such_instance(number)
    return {"instances": None if found is None else found.row(now)}


def manage(account: FakeAccount, call: ApiCall) -> Any:
    """Start, stop or label."""
    now = account.now()
    found = account.lifecycle.living(call.numbers[0])
    if "label" in call.body:
        label = str(call.body["label"] or "")
        if len(label) > _LONGEST_LABEL:
            raise ApiRefusal(400, "label_too_long", f"label must be at most {_LONGEST_LABEL} characters")
        found.label = label
        return {"success": True}
    if call.body.get("state") == "stopped":
        account.lifecycle.stop(found, now)
        return {"success": True, "msg": "instance is stopping"}
    if call.body.get("state") == "running":
        msg = account.lifecycle.start(found, now)
        return {"success": not found.queued or account.quirks.queued_start_succeeds, "msg": msg}
    raise invalid_args("state must be running or stopped")


def destroy(account: FakeAccount, call: ApiCall) -> Any:
    """Give it back."""
    now, number = account.now(), call.numbers[0]
    account.lifecycle.destroy(number, now)
    account.keys.forget(number)
    return {"success": True, "msg": f"destroying instance {number}"}


def reboot(account: FakeAccount, call: ApiCall) -> Any:
    """Stop and start its container."""
    now = account.now()
    account.lifecycle.restart(account.lifecycle.living(call.numbers[0]), now, "rebooting")
    return {"success": True}


def recycle(account: FakeAccount, call: ApiCall) -> Any:
    """Make its container anew."""
    now = account.now()
    account.lifecycle.restart(account.lifecycle.living(call.numbers[0]), now, "recycling")
    return {"success": True}


def change_bid(account: FakeAccount, call: ApiCall) -> Any:
    """Pay another price for an interruptible one; one that was outbid runs again if it is enough."""
    now = account.now()
    found = account.lifecycle.living(call.numbers[0])
    price = call.body.get("price")
    if (
        not found.is_bid
        or not isinstance(price, int | float)
        or not 0.001 <= price <= 32 * found.host.num_gpus
    ):
        raise invalid_args("price of an interruptible instance must be between 0.001 and 32 for each GPU")
    found.gpu_price = float(price)
    account.lifecycle.repriced(found, now)
    return {"success": True}


def command(account: FakeAccount, call: ApiCall) -> Any:
    """Run one of the few programs that Vast lets one run without SSH."""
    account.now()
    found = account.lifecycle.living(call.numbers[0])
    words = _command_words(call.body.get("command"))
    if found.machine is None or not found.machine.is_running:
        raise ApiRefusal(400, "invalid_args", "Instance is not running.")
    if not all(_is_within(found.machine.home, word) for word in words[1:]):
        raise invalid_args("only files of the instance can be named")
    said = found.machine.execute(words)
    return {"success": True, "writeable_path": "/", **_result(account, said)}


def _command_words(text: object) -> list[str]:
    try:
        words = shlex.split(text) if isinstance(text, str) and len(text) <= _LONGEST_COMMAND else []
    except ValueError:
        words = []
    if not words or words[0] not in _COMMANDS:
        raise invalid_args(
            f"command must be one of {', '.join(_COMMANDS)}, at most {_LONGEST_COMMAND} characters"
        )
    return words


def _is_within(home: Path, word: str) -> bool:
    return word.startswith("-") or (home / word).resolve().is_relative_to(home.resolve())


def request_logs(account: FakeAccount, call: ApiCall) -> Any:
    """What the container said, or with daemon_logs what its host said about it."""
    account.now()
    found = account.lifecycle.living(call.numbers[0])
    if str(call.body.get("daemon_logs", "")).lower() == "true":
        text = "".join(f"{line}\n" for _, line in found.history)
    else:
        text = found.machine.log() if found.machine else ""
    if needle := call.body.get("filter"):
        text = "".join(f"{line}\n" for line in text.splitlines() if str(needle) in line)
    if tail := call.body.get("tail"):
        lines = text.splitlines(keepends=True)
        text = "".join(lines[-int(tail) :])
    return {"success": True, **_result(account, text)}


def _result(account: FakeAccount, text: str) -> dict[str, str]:
    """Where the text will be; the server puts its own address before it."""
    return {"result_url": f"/results/{account.results.put(text)}", "msg": "Request sent."}
