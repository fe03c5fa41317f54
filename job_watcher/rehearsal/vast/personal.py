"""What Vast answers about the account: who it is, its keys, its money."""

from __future__ import annotations

import json
from typing import Any, Final

from job_watcher.rehearsal.vast.account import FakeAccount
from job_watcher.rehearsal.vast.billing import charge_rows
from job_watcher.rehearsal.vast.filters import matches
from job_watcher.rehearsal.vast.refusal import ApiRefusal
from job_watcher.rehearsal.vast.routes import ApiCall

_MOST_CHARGES: Final = 100
_FEW_CHARGES: Final = 20


def user(account: FakeAccount, call: ApiCall) -> Any:
    """The account. Its key stands in the answer, as on Vast: clients take it out."""
    account.now()
    return {
        "id": 1,
        "email": "rehearsal@example.com",
        "username": "rehearsal",
        "credit": account.ledger.credit,
        "balance": 0.0,
        "balance_threshold": 1.0,
        "can_pay": True,
        "has_billing": True,
        "ssh_key": None,
        "api_key": account.keys.account,
    }


def api_keys(account: FakeAccount, call: ApiCall) -> Any:
    """The keys of the account, and what each may do."""
    account.now()
    permissions: dict[str, Any] = {"api": {scope: {} for scope in sorted(account.keys.scopes)}}
    row = {"id": 11, "name": "rehearsal", "key": account.keys.account[:4], "permissions": permissions}
    return {"success": True, "apikeys": [row]}


def ssh_keys(account: FakeAccount, call: ApiCall) -> Any:
    """The SSH keys of the account: a bare list."""
    return account.ssh_keys.rows()


def create_ssh_key(account: FakeAccount, call: ApiCall) -> Any:
    """Add one to the account."""
    return {"success": True, "key": account.ssh_keys.create(str(call.body.get("ssh_key", "")), account.now())}


def update_ssh_key(account: FakeAccount, call: ApiCall) -> Any:
    """Replace one of the account."""
    row = account.ssh_keys.update(call.numbers[0], str(call.body.get("ssh_key", "")))
    return {"success": True, "key": row}


def delete_ssh_key(account: FakeAccount, call: ApiCall) -> Any:
    """Take one from the account."""
    account.ssh_keys.delete(call.numbers[0])
    return {"success": True}


def attach_ssh(account: FakeAccount, call: ApiCall) -> Any:
    """Let one more into an instance, at once."""
    now = account.now()
    found = account.lifecycle.living(call.numbers[0])
    account.ssh_keys.attach(found.id, str(call.body.get("ssh_key", "")), now)
    if found.machine:
        found.machine.add_key(account.ssh_keys.of(found.id)[-1]["key"])
    return {"success": True, "msg": "SSH key added to instance."}


def attached_ssh(account: FakeAccount, call: ApiCall) -> Any:
    """The keys of an instance: JSON in JSON."""
    account.now()
    found = account.lifecycle.living(call.numbers[0])
    return {"success": True, "ssh_keys": json.dumps(account.ssh_keys.of(found.id))}


def detach_ssh(account: FakeAccount, call: ApiCall) -> Any:
    """Take one from an instance."""
    account.now()
    found = account.lifecycle.living(call.numbers[0])
    account.ssh_keys.detach(found.id, call.numbers[1])
    if found.machine:
        found.machine.refresh_keys()
    return {"success": True}


def charges(account: FakeAccount, call: ApiCall) -> Any:
    """What was charged: a row for each instance and day."""
    now, query = account.now(), call.query
    wanted = dict(query.get("select_filters") or {})
    day = wanted.pop("day", {})
    shown_until = now - account.quirks.charges_delay_s
    rows = [
        row
        for row in charge_rows(account.ledger.amounts())
        if row["start"] <= shown_until
        and row["end"] > float(day.get("gte", 0))
        and row["start"] <= float(day.get("lte", now))
        and matches(row, wanted)
    ]
    if query.get("latest_first"):
        rows.reverse()
    return _page(rows, query)


def invoices(account: FakeAccount, call: ApiCall) -> Any:
    """What was paid in."""
    now = account.now()
    row = {
        "source": "stripe",
        "type": "payment",
        "amount": account.ledger.deposited,
        "start": now,
        "end": now,
    }
    return _page([row], call.query)


def _page(rows: list[dict[str, Any]], query: dict[str, Any]) -> dict[str, Any]:
    limit = max(1, min(int(query.get("limit") or _FEW_CHARGES), _MOST_CHARGES))
    start = _start(query.get("after_token") or query.get("next_token"))
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    return {
        "success": True,
        "count": len(page),
        "total": len(rows),
        "next_token": str(start + limit) if more else None,
        "results": page,
    }


def _start(token: object) -> int:
    if token in (None, ""):
        return 0
    if not str(token).isdigit():
        raise ApiRefusal(400, "invalid_token", "the token is not valid")
    return int(str(token))
