"""Machines and money: what the watchers use, what is rented, what it cost."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from job_console.api.kinds import Parts
from job_console.contract import ref
from job_console.error_answers import ConsoleJson
from job_console.openapi import reading
from lib.jobs.costs import CostsBy, costs_of, hours_of
from lib.jobs.machines import machines_of
from lib.jobs.rented_machines import rented_json, rented_machines
from lib.machines.model import PaidMachines

router = APIRouter(tags=["machines"])

_MONTH_S = 30 * 86_400
_MACHINES = {
    "type": "object",
    "required": ["machines", "standby"],
    "properties": {
        name: ref("job-watcher-machines", f"/oneOf/0/properties/{name}") for name in ("machines", "standby")
    },
    "additionalProperties": False,
}


@router.get(
    "/machines",
    response_model=None,
    responses=reading(_MACHINES, "As their watchers say."),
)
def machines(parts: Parts) -> ConsoleJson:
    """Show the machines that live watchers use, and what each does."""
    return ConsoleJson(machines_of(parts.queue).to_json())


@router.get(
    "/instances",
    response_model=None,
    responses=reading(ref("job-watcher-instances"), "As the ledger says; no provider is asked."),
)
def instances(parts: Parts) -> ConsoleJson:
    """Show every rented machine that may still cost money, its end, and what it can still cost."""
    with parts.open_rented() as ledger:
        return ConsoleJson(rented_json(parts.provider, rented_machines(ledger, parts.clock.now())))


@router.get(
    "/costs",
    response_model=None,
    responses=reading(ref("job-watcher-costs"), "By whole hours of UTC."),
)
def costs(
    parts: Parts,
    seconds: Annotated[
        int, Query(ge=0, le=3650 * 86_400, description="Of so many seconds until now.")
    ] = _MONTH_S,
    by: Annotated[CostsBy, Query(description="A line for each of these.")] = CostsBy.DAY,
) -> ConsoleJson:
    """Add up what the ledger says was paid for rented machines."""
    now = parts.clock.now()
    begin = max(0.0, now - seconds)
    with parts.open_rented() as ledger:
        paid = PaidMachines() if ledger is None else ledger.paid(*hours_of(begin, now))
    return ConsoleJson(costs_of(paid, begin, now, by).to_json())
