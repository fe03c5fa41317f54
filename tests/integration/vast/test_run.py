"""`job-watcher run` with PROVIDER=vast, from an empty account to a bill: W4, W7, W11, W12, W15."""

from __future__ import annotations

import contextlib
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from job_watcher.rehearsal.vast import HostOffer, Mishap
from job_watcher.rehearsal.vast.machines import RehearsalMachine
from lib.jobspec import load_job_file
from lib.machines import open_ledger
from lib.machines.model import Category, Change, Charge, Epoch, Intent
from tests.integration.machines.conftest import place_in
from tests.integration.vast.rented import QUICK, ROOT, RentingDeployment, market, renting
from tests.integration.watcher.conftest import beats

__all__ = ["market", "renting"]


def _gone(deployed: RentingDeployment) -> None:
    """Wait until no machine is left."""
    deployed.wait_for("no machine left", lambda: not deployed.fake.living())


def _all_that_is_on(machine: RehearsalMachine) -> Iterator[bytes]:
    """Every file there, and the environment and words of every process."""
    for pid in machine.processes():
        for name in ("environ", "cmdline"):
            with contextlib.suppress(OSError):
                yield Path(f"/proc/{pid}/{name}").read_bytes()
    for file in machine.folder.rglob("*"):
        with contextlib.suppress(OSError):
            if file.is_file() and not file.is_symlink():
                yield file.read_bytes()


def test_a_machine_is_rented_for_work_speaks_it_and_is_given_back(renting: RentingDeployment) -> None:
    """W4, W7, W11: one offer, one machine, a key of its own; no other secret ever reaches it or is sent."""
    fake, specs = renting.fake, beats(2)
    renting.start(LOG_FORMAT="json")
    renting.enqueue(specs)

    renting.wait_until_done(specs)
    (machine,) = fake.instances()
    lease = fake.machine(machine.id).home / ".job-runner" / "lease"
    assert lease.read_text()
    folder = next((renting.data / "machines").iterdir())
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    secrets = (fake.api_key.encode(), renting.url.encode(), (folder / "key").read_bytes().splitlines()[2])
    there = b"".join(_all_that_is_on(fake.machine(machine.id)))
    sent = b"".join(entry.body for entry in fake.journal.entries())
    assert machine.label.encode() in sent
    assert b"CONTAINER_API_KEY" in there
    assert not [secret for secret in secrets if secret in there or secret in sent]
    _gone(renting)

    assert all(renting.output(spec).stat().st_size > 10_000 for spec in specs)
    changes = [each["change"] for each in renting.told("machine_moved")]
    assert changes[:5] == ["planned", "accepted", "passed", "unwanted", "empty"]
    bill = fake.bill()
    assert {amount.label for amount in bill.amounts} == {machine.label}
    assert len(fake.instances()) == 1


def test_a_stand_by_goes_on_with_the_machine_of_a_watcher_that_was_told_to_end(
    renting: RentingDeployment,
) -> None:
    """W15, W17 in small: what is spoken is finished, the rest is the stand-by's, on the same machine."""
    specs = beats(3, sentences=12)
    first = renting.start()
    renting.enqueue(specs)
    renting.wait_for("the work begun", lambda: renting.events("begun"))
    second = renting.start()
    renting.wait_for("the other at hand", lambda: len(renting.queue.snapshot().watchers) == 2)

    first.terminate()
    assert first.wait(timeout=60) == 0
    assert len(renting.fake.living()) == 1
    assert renting.queue.snapshot().done >= 1

    renting.wait_until_done(specs)
    _gone(renting)
    assert second.poll() is None
    assert len(renting.fake.instances()) == 1
    assert len(renting.events("begun")) == len(specs)


@pytest.mark.soak
def test_whoever_leads_next_goes_on_with_the_machine_and_its_work(renting: RentingDeployment) -> None:
    """W15: after SIGKILL, with nothing of the dead one's disk but the database; nothing is spoken twice."""
    specs = beats(1, sentences=30)
    first = renting.start()
    renting.enqueue(specs)
    renting.wait_for("the work begun", lambda: renting.events("begun"))
    first.kill()
    first.wait()
    renting.processes.remove(first)
    shutil.rmtree(renting.data / "machines")
    shutil.rmtree(renting.data / "watchers")

    renting.start()
    renting.wait_until_done(specs)
    _gone(renting)

    assert len(renting.fake.instances()) == 1
    assert len(renting.events("begun")) == 1


@pytest.mark.soak
def test_a_watcher_that_is_told_to_end_finishes_what_is_spoken_and_leaves_the_machine(
    renting: RentingDeployment,
) -> None:
    """W17: a deploy ends no rental and no job; the next watcher goes on with both."""
    specs = beats(4, sentences=12)
    first = renting.start()
    renting.enqueue(specs)
    renting.wait_for("the work begun", lambda: renting.events("begun"))

    first.terminate()
    assert first.wait(timeout=60) == 0

    assert len(renting.fake.living()) == 1
    shot = renting.queue.snapshot()
    assert shot.done >= 1
    assert shot.pending == 0
    renting.start()
    renting.wait_until_done(specs)
    _gone(renting)
    assert len(renting.fake.instances()) == 1
    assert len(renting.events("begun")) == len(specs)


@pytest.mark.soak
def test_a_stand_by_with_a_disk_of_its_own_takes_over_through_the_shared_ledger(
    renting: RentingDeployment, request: pytest.FixtureRequest
) -> None:
    """W15: queue and Postgres are all that the two share; the machine and its work go on."""
    ledger = place_in("postgres", request).url
    specs = beats(1, sentences=40)
    first = renting.start(DATABASE_URL=ledger)
    renting.enqueue(specs)
    renting.wait_for("the work begun", lambda: renting.events("begun"))
    here, renting.data = renting.data, renting.data.parent / "elsewhere"
    storage = f"file://{here / 'storage'}"
    renting.start(DATABASE_URL=ledger, STORAGE_URL=storage, JOBS_DATA_DIR=str(renting.data))
    first.kill()
    first.wait()
    renting.processes.remove(first)

    renting.wait_until_done(specs)
    _gone(renting)

    assert len(renting.fake.instances()) == 1
    assert len(renting.events("begun")) == 1
    assert not (here / "ledger.db").exists()


@pytest.mark.soak
def test_once_ends_when_nothing_is_left_and_nothing_is_paid_for(renting: RentingDeployment) -> None:
    """W1."""
    ended = renting.command("once", "--json")

    assert (ended.returncode, ended.stdout.strip()) == (0, '{"settled":0}'), ended.stderr
    assert renting.fake.instances() == []


LIAR = HostOffer(1, dph_base=0.10, min_bid=0.05, conduct=replace(QUICK, gpu_shown="Tesla T4"))
BEHIND_A_PROXY = HostOffer(
    2, dph_base=0.20, min_bid=0.10, conduct=replace(QUICK, befalls=((0.0, Mishap.DIRECT_DEAD),))
)


@pytest.mark.soak
@pytest.mark.parametrize("market", [[LIAR, BEHIND_A_PROXY]])
def test_a_machine_that_is_not_what_was_offered_is_given_back_and_the_next_reached_by_its_proxy(
    renting: RentingDeployment,
) -> None:
    """W10, W11: the reason is in the ledger, and that host is rented no more."""
    specs = beats(1)
    renting.start(LOG_FORMAT="json")
    renting.enqueue(specs)

    renting.wait_until_done(specs)
    _gone(renting)

    with contextlib.closing(open_ledger(f"sqlite:///{renting.data}/ledger.db")) as ledger:
        notes = [(note.machine_id, note.reason, note.ok) for note in ledger.host_notes(0.0)]
    assert notes == [("1", "wrong_gpu", False), ("2", "worked", True)]
    assert [each.host.machine_id for each in renting.fake.instances()] == [1, 2]


@pytest.mark.parametrize(
    ("settings", "status", "sentence"),
    [
        ({"VAST_API_KEY": ""}, 78, "VAST_API_KEY is not set"),
        pytest.param({"VAST_API_KEY": "wrong"}, 78, "key", marks=pytest.mark.soak),
        pytest.param(
            {"CREDIT_FLOOR": "1000"}, 75, "credit of $25.00 is at its floor", marks=pytest.mark.soak
        ),
        pytest.param({"SPEND_CAP_BATCH": "0"}, 78, "SPEND_CAP_BATCH is 0", marks=pytest.mark.soak),
        pytest.param({"MAX_DPH": "0.01"}, 75, "MAX_DPH", marks=pytest.mark.soak),
        pytest.param({"VAST_GPUS": "RTX_9999"}, 69, "RTX_9999", marks=pytest.mark.soak),
    ],
)
def test_what_lets_nothing_be_rented_is_one_line_and_nothing_is_rented(
    renting: RentingDeployment, settings: dict[str, str], status: int, sentence: str
) -> None:
    """W8."""
    renting.enqueue(beats(1))

    ended = renting.command("once", **settings)

    said = [line for line in ended.stderr.splitlines() if line.startswith("error")]
    assert ended.returncode == status, ended.stderr
    assert len(said) == 1, ended.stderr
    assert sentence in said[0]
    assert renting.fake.instances() == []


def _earlier_machine(deployed: RentingDeployment, batch: str, micros: int) -> None:
    """An hour ago a machine of that batch cost so much."""
    hour = int(time.time()) // 3600 - 1
    intent = Intent(
        token="earlier-machine-1",
        epoch=1,
        provider="vast",
        offer_id="7",
        machine_id="7",
        host_id="7",
        gpu="RTX 3060",
        interruptible=False,
        hourly_micros=micros,
        fee_micros=0,
        created_at=hour * 3600.0,
        expires_at=hour * 3600.0 + 1,
        label="earlier",
        batch=batch,
    )
    with contextlib.closing(open_ledger(f"sqlite:///{deployed.data}/ledger.db")) as ledger:
        ledger.open_epoch(Epoch(1, "bob", hour * 3600.0))
        row = ledger.plan(intent, state="planned", hours=(), allow=lambda books: None)
        ledger.charge([Charge(row.token, Category.COMPUTE, hour, micros)], epoch=1)
        ledger.change(Change(row.token, row.version, 1, "gone", "vanished", hour * 3600.0 + 1, closed=True))


@pytest.mark.soak
def test_a_batch_that_reached_its_cap_pays_for_no_machine_and_another_one_does(
    renting: RentingDeployment,
) -> None:
    """W8: alone its jobs wait, told in one line; beside work that is paid for they are spoken with it."""
    _earlier_machine(renting, "film", 990_000)
    film, book = (replace(spec, batch=name) for spec, name in zip(beats(2), ("film", "book"), strict=True))
    renting.enqueue([film])

    alone = renting.command("once", SPEND_CAP_BATCH="1")
    (sentence,) = [line for line in alone.stderr.splitlines() if line.startswith("error")]
    assert alone.returncode == 75, alone.stderr
    assert "SPEND_CAP_BATCH is $1.0000 for the batch film, of which $0.9900 are spent" in sentence
    assert renting.fake.instances() == []

    renting.enqueue([book])
    renting.start(LOG_FORMAT="json", SPEND_CAP_BATCH="1")
    renting.wait_until_done([film, book])
    _gone(renting)

    told = [each["reason"] for each in renting.told("budget")]
    assert len(told) == 1
    assert "for the batch film" in told[0]
    assert len(renting.fake.instances()) == 1
    with contextlib.closing(open_ledger(f"sqlite:///{renting.data}/ledger.db")) as ledger:
        books = ledger.books((), ("film", "book"))
    assert books.spent_by_batch["film"] == 990_000
    assert 0 < books.spent_by_batch["book"] < 1_000_000


@pytest.mark.soak
def test_the_example_of_the_first_page_is_spoken_on_rented_machines(renting: RentingDeployment) -> None:
    """W1: every job of jobs.example.yaml."""
    specs = load_job_file(ROOT / "jobs.example.yaml").specs
    renting.start()
    renting.enqueue(specs)

    renting.wait_until_done(specs)
    _gone(renting)

    assert sum(amount.amount for amount in renting.fake.bill().amounts) > 0
