"""What `job-watcher doctor` finds of an account at the fake Vast: nothing is rented for it (W1, W8)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from job_watcher.providers.vast.wiring import check_account, open_desk
from job_watcher.rehearsal.vast import FakeVast, server_error
from lib.errors import ExitStatus
from lib.findings import Finding
from lib.jobs.doctor import exit_status
from lib.jobs.doctor_account import diagnose_account
from lib.machines import open_ledger
from lib.machines.model import Epoch, HostNote
from lib.providers.vast.refusals import SCOPES
from lib.settings import load_settings

NAMES = (
    "VAST_GPUS",
    "VAST_REGIONS",
    "MAX_DPH",
    "MAX_MACHINES",
    "CREDIT_FLOOR",
    "SPEND_CAP_BATCH",
    "DATABASE_URL",
)


PINNED = f"python@sha256:{'0' * 64}"


@pytest.fixture
def found(vast: FakeVast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Finding]]:
    """What is found with these settings on an account that is fine otherwise."""
    pytest.importorskip("vastai", reason="Vast's client is not installed: install the extra vast")
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    vast.account.keys.scopes = frozenset(SCOPES)
    monkeypatch.chdir(tmp_path)

    def look(**settings: str) -> list[Finding]:
        usual = {"PROVIDER": "vast", "VAST_URL": vast.url, "VAST_API_KEY": vast.api_key, "VAST_IMAGE": PINNED}
        for name, value in (usual | {"JOBS_DATA_DIR": str(tmp_path)} | settings).items():
            monkeypatch.setenv(name, value)
        seen = diagnose_account(check_account(load_settings({}), vast.clock))
        assert vast.instances() == []
        return seen

    return look


def ids(findings: list[Finding]) -> list[str]:
    return [item.kind.id for item in findings]


def test_an_account_that_is_fine(found: Callable[..., list[Finding]], tmp_path: Path) -> None:
    assert found() == []
    assert not (tmp_path / "ledger.db").exists()


def _cheapest(vast: FakeVast, *, bids: bool) -> float:
    provider = open_desk(load_settings({}), vast.clock).provider
    return min(offer.hourly_micros for offer in provider.offers(interruptible=bids)) / 1e6


def test_a_limit_is_judged_by_what_would_be_rented(
    vast: FakeVast, found: Callable[..., list[Finding]], tmp_path: Path
) -> None:
    """Bids are taken while nobody outbid us twice; from then on only fixed prices count."""
    found()
    bid, fixed = _cheapest(vast, bids=True), _cheapest(vast, bids=False)
    assert bid < fixed
    between = f"{(bid + fixed) / 2:.4f}"
    assert found(MAX_DPH=between) == []

    with closing(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        now = vast.clock.now()
        ledger.open_epoch(Epoch(1, "w", now))
        for machine in ("m1", "m2"):
            ledger.note_host(HostNote("vast", machine, "host", "outbid", ok=False, at=now), epoch=1)
    (seen,) = found(MAX_DPH=between)
    assert seen.kind.id == "D030"
    assert f"MAX_DPH is ${between}" in seen.sentence


def test_a_bench_that_cannot_be_read_is_found_and_keeps_no_desk_shut(
    found: Callable[..., list[Finding]], vast: FakeVast, tmp_path: Path
) -> None:
    (tmp_path / "speeds").mkdir()
    file = tmp_path / "speeds" / "mine.json"
    file.write_text('{"machine": {"gpu_class": "RTX 3090"}, "speeds": {"hibari": 90}}')
    assert found() == []
    assert open_desk(load_settings({}), vast.clock).benches().speeds == {("hibari", "RTX 3090"): 90.0}

    file.write_text("{}")
    (seen,) = found()
    assert (seen.kind.id, exit_status([seen])) == ("D039", ExitStatus.BAD_CONFIGURATION)
    assert str(file) in seen.sentence
    assert (
        open_desk(load_settings({}), vast.clock).benches().speeds == {}
    )  # machines can be ended all the same


def _no_scope(vast: FakeVast) -> None:
    vast.account.keys.scopes = frozenset(SCOPES) - {"instance_write"}


def _no_search(vast: FakeVast) -> None:
    vast.account.keys.scopes = frozenset(SCOPES) - {"misc"}


def _all_scopes(vast: FakeVast) -> None:
    vast.account.keys.scopes = frozenset({*SCOPES, "user_write"})


def _no_credit(vast: FakeVast) -> None:
    vast.set_credit(0.5)


def _clock_off(vast: FakeVast) -> None:
    vast.quirks.date_skew_s = 300.0


def _foreign_key(vast: FakeVast) -> None:
    vast.account.ssh_keys.create("ssh-ed25519 AAAA somebody", vast.clock.now())


def _no_charges(vast: FakeVast) -> None:
    vast.faults.add(server_error("charges"))


def _no_market(vast: FakeVast) -> None:
    vast.faults.add(server_error("search"))


def _no_ssh_keys(vast: FakeVast) -> None:
    vast.faults.add(server_error("ssh_keys"))


def _nobody(vast: FakeVast) -> None:
    vast.faults.add(server_error("user"))


@pytest.mark.parametrize(
    "breaks", [_no_charges, _no_market, _no_ssh_keys, _nobody], ids=lambda breaks: breaks.__name__.strip("_")
)
def test_what_could_not_be_looked_at_is_not_called_healthy(
    vast: FakeVast, found: Callable[..., list[Finding]], breaks: Callable[[FakeVast], None]
) -> None:
    breaks(vast)
    assert exit_status(found()) is ExitStatus.UNAVAILABLE


@pytest.mark.parametrize(
    ("breaks", "settings", "id_", "words"),
    [
        (None, {"VAST_API_KEY": ""}, "D029", "VAST_API_KEY is not set"),
        (None, {"MAX_DPH": "0"}, "D030", "MAX_DPH is 0"),
        (None, {"MAX_DPH": "0.01"}, "D030", "the cheapest machine that fits costs $"),
        (None, {"SPEND_CAP_BATCH": "0.01"}, "D030", "SPEND_CAP_BATCH is $0.0100; at least $"),
        (None, {"VAST_API_KEY": "wrong"}, "D031", "does not accept it"),
        (_no_scope, {}, "D032", "it lacks instance_write"),
        (_no_search, {}, "D032", "it lacks misc"),
        (_all_scopes, {}, "D033", "user_write"),
        (_no_credit, {}, "D034", "$0.50 of credit is left and CREDIT_FLOOR is $1.00"),
        (_foreign_key, {}, "D036", "1 SSH key is on the account"),
        (_clock_off, {}, "D037", "behind that of Vast"),
        (None, {"VAST_GPUS": "RTX_9999"}, "D038", "offers nothing of VAST_GPUS=RTX_9999"),
        (_no_charges, {}, "D039", "billing_read"),
        (_no_market, {}, "D039", "502"),
        (_no_ssh_keys, {}, "D039", "SSH keys"),
        (_nobody, {}, "D029", "user_read"),
        (None, {"VAST_URL": "http://127.0.0.1:1"}, "D029", "user_read"),
        (None, {"VAST_IMAGE": ""}, "D040", "no digest"),
    ],
)
def test_each_trouble_is_found_alone(
    vast: FakeVast,
    found: Callable[..., list[Finding]],
    breaks: Callable[[FakeVast], None] | None,
    settings: dict[str, str],
    id_: str,
    words: str,
) -> None:
    if breaks is not None:
        breaks(vast)
    seen = found(**settings)
    assert ids(seen) == [id_]
    assert words in seen[0].sentence
    told: dict[str, Any] = seen[0].to_json()
    assert vast.api_key not in json.dumps(told)
