"""What Vast answers to a search and to a create."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from job_watcher.rehearsal.vast.account import FakeAccount
from job_watcher.rehearsal.vast.instances import RentedInstance
from job_watcher.rehearsal.vast.market import HostOffer, disk_price
from job_watcher.rehearsal.vast.refusal import ApiRefusal, invalid_args
from job_watcher.rehearsal.vast.routes import ApiCall

LEAST_DISK_GB: Final = 8
_IMAGE, _LABEL, _SCRIPT, _ENV, _ENV_ITEM = 1024, 256, 4096, 32_768, 16_384  # characters
_LEAST_PRICE, _MOST_PRICE = 0.001, 128.0
_DAY_S: Final = 86_400.0


def search(account: FakeAccount, call: ApiCall) -> Any:
    """The offers that fit."""
    return {"offers": account.asks.search(call.body, account.now())}


def create(account: FakeAccount, call: ApiCall) -> Any:
    """Rent an ask. Whoever is first has it."""
    now, ask = account.now(), call.numbers[0]
    _check_body(call.body)
    _check_money(account)
    host, body = account.asks.free(ask), call.body
    _check_host(account, body, host)
    bid, busy = body.get("price"), account.asks.is_busy(host.machine_id)
    if busy and bid is None and body.get("cancel_unavail", True):
        raise account.asks.no_such_ask(ask)
    account.asks.take(ask, now)
    too_low = bid is not None and float(bid) < host.min_bid
    instance = _made(account, body, host, now, stopped=busy or too_low)
    answer: dict[str, Any] = {"success": True, "new_contract": instance.id}
    if too_low:
        answer = {"success": False, "error": "bid_too_low", "msg": "Your bid is too low; instance stopped."}
        if account.quirks.bid_refusal_has_id:
            answer["new_contract"] = instance.id
    elif account.quirks.shows_instance_key:
        answer["instance_api_key"] = instance.key
    return answer


def _made(
    account: FakeAccount, body: Mapping[str, Any], host: HostOffer, now: float, *, stopped: bool
) -> RentedInstance:
    """The instance, with its key, its SSH keys and its machine."""
    number, account.next_instance = account.next_instance, account.next_instance + 1
    bid = body.get("price")
    instance = RentedInstance(
        id=number,
        host=host,
        request=body,
        created_at=now,
        key=account.keys.restricted_for(number),
        end_date=now + host.days_left * _DAY_S,
        gpu_price=(host.dph_base if bid is None else float(bid)) + host.surcharge,
        label=str(body.get("label") or ""),
        contract="stopped" if stopped else "running",
        intended="stopped" if stopped else "running",
    )
    account.ssh_keys.born(number)
    instance.machine = account.machine_for(instance)
    account.lifecycle.add(instance, now)
    return instance


def _check_body(body: Mapping[str, Any]) -> None:
    """Refuse what no host would take."""
    image = body.get("image")
    if not (isinstance(image, str) and 0 < len(image) <= _IMAGE) and not body.get("template_hash_id"):
        raise invalid_args("image must be a string of 1 to 1024 characters")
    if len(str(body.get("label") or "")) > _LABEL:
        raise invalid_args(f"label must be at most {_LABEL} characters")
    script = str(body.get("onstart") or "") + " ".join(map(str, body.get("args") or []))
    if len(script) > _SCRIPT:
        raise invalid_args(f"onstart and args must be at most {_SCRIPT} characters together")
    _check_env(body.get("env"))
    price = body.get("price")
    if price is not None and not _LEAST_PRICE <= _float(price) <= _MOST_PRICE:
        raise ApiRefusal(400, "invalid_price", f"price must be between {_LEAST_PRICE} and {_MOST_PRICE}")


def _check_env(env: object) -> None:
    if env is None:
        return
    if not isinstance(env, Mapping):
        raise invalid_args("env must be an object")
    sizes = [len(str(name)) + len(str(value)) for name, value in env.items()]
    if sum(sizes) > _ENV or any(size > _ENV_ITEM for size in sizes):
        raise invalid_args("env is too large")


def _check_money(account: FakeAccount) -> None:
    if account.ledger.credit <= 0:
        raise ApiRefusal(400, "insufficient_credit", "Your account lacks credit; see the billing page.")


def _check_host(account: FakeAccount, body: Mapping[str, Any], host: HostOffer) -> None:
    """Refuse what this host would not take, or the account may not pay."""
    disk = _float(body.get("disk") or 10)
    if not LEAST_DISK_GB <= disk <= host.disk_space:
        raise invalid_args(f"disk must be between {LEAST_DISK_GB} and {host.disk_space:.0f} GB")
    limit = account.quirks.spend_limit
    price = host.dph_base if body.get("price") is None else _float(body["price"])
    if limit is not None and account.ledger.hourly() + price + disk_price(host, disk) > limit:
        raise ApiRefusal(400, "spend_rate_limit", f"Your account may spend ${limit:.2f} an hour for now.")


def _float(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise invalid_args(f"{value!r} is not a number") from None
