"""What renting tells (W19), and what tells our machines from others' (W4, W6)."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from job_watcher.providers.rented.rental_events import EventTeller
from job_watcher.providers.wiring import deployment_of, ledger_url
from job_watcher.provisioning.label_sweep import sweep_labels
from lib.clock import ManualClock
from lib.events.model import BudgetReached, LifecycleEvent, OrphanFound, RentedMachineMoved
from lib.machines.labels import MachineLabel
from lib.providers.rental import Listing, Rental
from lib.settings import load_settings
from tests.unit.provisioning.bench import OWNER, Company, offer


class Heard:
    """An `EventSink` that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[LifecycleEvent] = []

    def emit(self, event: LifecycleEvent) -> None:
        self.events.append(event)


class TestEvents:
    @pytest.fixture
    def heard(self) -> Heard:
        return Heard()

    def tell(self, heard: Heard, *what: str) -> LifecycleEvent:
        EventTeller(heard, lambda: None)(*what)
        return heard.events[-1]

    def test_a_limit_that_keeps_a_machine_from_being_rented(self, heard: Heard) -> None:
        found = self.tell(heard, "cap", "SPEND_CAP_DAY is $1", "")

        assert found == BudgetReached(kind="cap", reason="SPEND_CAP_DAY is $1")
        assert self.tell(heard, "credit", "no money", "") == BudgetReached(kind="credit", reason="no money")

    def test_the_cap_of_one_batch_is_no_reason_for_which_nothing_is_rented(self, heard: Heard) -> None:
        teller = EventTeller(heard, lambda: None)
        teller("batch_cap", "SPEND_CAP_BATCH is $1 for the batch film", "")

        (event,) = heard.events
        assert event == BudgetReached(kind="batch_cap", reason="SPEND_CAP_BATCH is $1 for the batch film")
        assert event.sentence().startswith("nothing is rented for one batch: SPEND_CAP_BATCH")
        assert teller.refused is None

    def test_an_orphan_by_its_rental(self, heard: Heard) -> None:
        found = self.tell(heard, "orphan", "i7 carries our label and is in no open row: destroyed", "")

        assert isinstance(found, OrphanFound)
        assert found.machine == "i7"

    def test_each_step_in_the_life_of_a_machine(self, heard: Heard) -> None:
        assert self.tell(heard, "accepted", "was rented", "t1") == RentedMachineMoved(
            machine="t1", change="accepted", reason="was rented"
        )
        assert self.tell(heard, "failed", "failed: gpu", "t1").level == logging.WARNING

    def test_passes_are_no_events(self, heard: Heard) -> None:
        EventTeller(heard, lambda: None)("pass", "", "")

        assert heard.events == []

    def test_what_keeps_us_from_renting_is_known_until_a_machine_is_planned(self, heard: Heard) -> None:
        teller = EventTeller(heard, lambda: None)
        teller("no_offer", "the provider offers nothing", "")
        assert teller.refused == ("no_offer", "the provider offers nothing")

        teller("planned", "1 job and no machine", "t1")
        assert teller.refused is None


class TestWhoseMachinesTheyAre:
    def owner(self, data: Path, **settings: str | None) -> str:
        return deployment_of(load_settings({"JOBS_DATA_DIR": str(data), **settings}))

    def test_the_same_settings_on_two_hosts_are_one_deployment(self, tmp_path: Path) -> None:
        """A stand-by elsewhere has another data folder."""
        url = "redis://:secret@queue.example:6379/0"

        assert self.owner(tmp_path / "a", REDIS_URL=url) == self.owner(tmp_path / "b", REDIS_URL=url)

    def test_a_password_changes_nothing_and_stands_nowhere(self, tmp_path: Path) -> None:
        one = self.owner(tmp_path, REDIS_URL="redis://:first@queue.example:6379/0")

        assert one == self.owner(tmp_path, REDIS_URL="redis://:second@queue.example:6379/0")

    def test_two_queues_never_end_each_others_machines(self, tmp_path: Path) -> None:
        """W4: both use one account, and both are called pab:jobs."""
        for name in "ab":
            (tmp_path / name).mkdir()
        found = {
            self.owner(tmp_path / "a"),
            self.owner(tmp_path / "b"),
            self.owner(tmp_path / "a", REDIS_URL="redis://queue.example:6379/0"),
            self.owner(tmp_path / "a", REDIS_URL="redis://other.example:6379/0"),
            self.owner(tmp_path / "a", REDIS_URL="redis://queue.example:6379/0", JOBS_PREFIX="other"),
        }

        assert len(found) == 5

    @pytest.mark.parametrize("prefix", ["pab:jobs", "{pab:jobs}", "A.B_c-d", "x" * 64, "9"])
    def test_it_can_stand_in_a_label(self, tmp_path: Path, prefix: str) -> None:
        owner = self.owner(tmp_path, JOBS_PREFIX=prefix)

        assert MachineLabel(owner, 1, "token-00000001", 5.0).text()

    def test_two_watchers_of_one_computer_share_its_own_server(self, tmp_path: Path) -> None:
        """Each has a data folder of its own."""
        for url in ("redis://127.0.0.1:6379/0", "unix:///run/redis/redis.sock"):
            found = {self.owner(tmp_path / name, REDIS_URL=url) for name in "ab"}

            assert len(found) == 1

    def test_the_word_of_a_folder_stays(self, tmp_path: Path) -> None:
        assert self.owner(tmp_path) == self.owner(tmp_path)

    def test_the_ledger_is_a_file_here_or_the_database_that_is_shared(self, tmp_path: Path) -> None:
        alone = load_settings({"JOBS_DATA_DIR": str(tmp_path)})
        shared = load_settings({"DATABASE_URL": "postgresql://me@db.example/jobs"})

        assert ledger_url(alone) == f"sqlite:///{tmp_path}/ledger.db"
        assert ledger_url(shared).startswith("postgresql")


class TestSweep:
    """W6: by the labels alone."""

    NOW = 1_790_000_000.0

    @pytest.fixture
    def company(self) -> Company:
        return Company(ManualClock(self.NOW))

    def label(self, owner: str, expires_at: float) -> str:
        return MachineLabel(owner, 1, "token-00000001", expires_at).text()

    def test_ends_what_is_past_its_time_and_nothing_else(self, company: Company) -> None:
        late = company.add(self.label(OWNER, self.NOW - 3600), offer())
        living = company.add(self.label(OWNER, self.NOW + 3600), offer())
        for label in (self.label("another", self.NOW - 3600), "training-7", ""):
            company.add(label, offer())

        found = sweep_labels(company, OWNER, self.NOW)

        assert company.destroyed == [late]
        assert [item.rental.instance for item in found.destroyed] == [late]
        assert [item.rental.instance for item in found.alive] == [living]
        assert found.problem == ""

    def test_an_incomplete_list_is_told(self, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        rentals: tuple[Rental, ...] = ()
        monkeypatch.setattr(company, "list", lambda: Listing(rentals, complete=False, problem="3 of 7"))

        assert sweep_labels(company, OWNER, self.NOW).problem == "3 of 7"
