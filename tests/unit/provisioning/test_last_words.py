"""What machines left in the store before they ended themselves is taken in once, or removed (W7, W13)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import BinaryIO, NoReturn

import pytest

from job_watcher.provisioning.reconcile import Reconciler
from lib.dispatch import Dispatcher
from lib.jobqueue import JobState, Placement
from lib.machines.memory import MemoryLedger
from lib.spool import SpoolClient, SpoolFull
from lib.spool.layout import MAX_FILE_BYTES, MAX_RESULT_BYTES, incoming_name
from lib.storage import MemoryIncoming, MemoryStorage, StorageUnavailable
from tests.unit.dispatch.bench import ScriptedHost
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import Bench

LEASE_S = 180.0
DAY_S = 86_400.0


@pytest.fixture
def incoming(bench: Bench) -> MemoryIncoming:
    bench.storage = MemoryStorage(now=bench.clock.now)
    found = bench.storage.incoming()
    assert found is not None
    return found


def lying(incoming: MemoryIncoming) -> list[str]:
    """The names of what lies there, without their folders."""
    return sorted(file.name.rpartition("/")[2] for file in incoming.list())


def push(incoming: MemoryIncoming, host: ScriptedHost) -> str:
    """What the machine does before it goes; the entry."""
    (entry,) = SpoolClient(host.files()).finished()
    for file in (host.root / "outbox" / entry).iterdir():
        url = incoming.sign(incoming_name(entry, file.name), life_s=60)
        assert incoming.put(url, file.read_bytes())
    return entry


def replace(incoming: MemoryIncoming, entry: str, file: str, data: bytes) -> None:
    assert incoming.put(incoming.sign(incoming_name(entry, file), life_s=60), data)


def begun(bench: Bench) -> tuple[Reconciler, ScriptedHost]:
    """A watcher whose only machine has the job `a` at hand, and finishes it unseen."""
    bench.queue.enqueue([spec("a")])
    watcher = bench.watcher()
    watcher.step()
    (instance,) = bench.company.rentals
    host = bench.host(instance)
    host.script = lambda: host.beat()
    for _ in range(4):
        bench.clock.advance(5)
        watcher.step()
    for taken in host.spool.take(1):
        host.spool.begin(taken.entry)
        host.beat(taken.entry)
        watcher.step()
        host.speak(taken, took_s=2.0)
    assert SpoolClient(host.files()).finished()
    return watcher, host


def gone(bench: Bench) -> None:
    """The machine has ended itself; whoever leads after that is another watcher."""
    bench.name, bench.lead.epoch, bench.lead.leads = "bob", 2, True
    bench.company.rentals.clear()
    bench.access.hosts.clear()


def settle(bench: Bench, watcher: Reconciler, seconds: float = 60.0) -> None:
    for _ in range(round(seconds / 5)):
        watcher.step()
        watcher.go_on()
        bench.clock.advance(5)


def state(bench: Bench) -> JobState:
    record = bench.queue.job("a")
    assert record is not None
    return record.state


@pytest.mark.parametrize("away_s", [0.0, LEASE_S + 1], ids=["its lease goes on", "its lease has run out"])
def test_the_next_leader_settles_the_job_from_it_and_rents_nothing(
    bench: Bench, incoming: MemoryIncoming, away_s: float
) -> None:
    _, host = begun(bench)
    push(incoming, host)
    gone(bench)
    bench.clock.advance(away_s)

    settle(bench, bench.watcher())

    assert state(bench) is JobState.DONE
    assert len(bench.company.asked) == 1
    assert lying(incoming) == []


def test_a_job_that_was_handed_back_is_settled_from_it(bench: Bench, incoming: MemoryIncoming) -> None:
    """A watcher that was told to end left the machine, and nobody came."""
    watcher, host = begun(bench)
    watcher.leave()
    assert state(bench) is JobState.WAITING
    push(incoming, host)
    gone(bench)

    settle(bench, bench.watcher())

    assert (state(bench), len(bench.company.asked), lying(incoming)) == (JobState.DONE, 1, [])


def test_the_same_leader_settles_it_when_only_the_way_was_cut(bench: Bench, incoming: MemoryIncoming) -> None:
    watcher, host = begun(bench)
    bench.access.hosts.clear()
    bench.clock.advance(30)
    watcher.step()
    push(incoming, host)
    bench.company.rentals.clear()

    settle(bench, watcher)

    assert (state(bench), len(bench.company.asked), lying(incoming)) == (JobState.DONE, 1, [])


def test_what_was_finished_elsewhere_meanwhile_stays_as_it_is(bench: Bench, incoming: MemoryIncoming) -> None:
    _, host = begun(bench)
    entry = push(incoming, host)
    gone(bench)
    bench.clock.advance(LEASE_S + 1)
    (lease,) = bench.queue.claim("somebody", count=1)
    bench.queue.complete(bench.queue.begin(lease), {"by": "somebody"})
    before = bench.queue.result("a")

    settle(bench, bench.watcher())

    assert bench.queue.result("a") == before
    assert lying(incoming) == []
    assert entry


def test_while_somebody_speaks_it_again_it_is_kept_and_not_used(
    bench: Bench, incoming: MemoryIncoming
) -> None:
    _, host = begun(bench)
    push(incoming, host)
    gone(bench)
    bench.clock.advance(LEASE_S + 1)
    (lease,) = bench.queue.claim("somebody", count=1, lease_ms=10**9)
    bench.queue.assign([Placement(lease, "elsewhere", "an-entry-of-theirs")])

    settle(bench, bench.watcher(), 600)

    assert bench.queue.renew([lease]) == []
    assert "result.json" in lying(incoming)


def test_altered_audio_is_not_taken(bench: Bench, incoming: MemoryIncoming) -> None:
    _, host = begun(bench)
    entry = push(incoming, host)
    (name,) = [name for name in lying(incoming) if name != "result.json"]
    replace(incoming, entry, name, b"RIFF of strangers")
    gone(bench)
    bench.clock.advance(LEASE_S + 1)

    settle(bench, bench.watcher(), 10)

    assert state(bench) is not JobState.DONE
    assert lying(incoming) == []
    assert not [key for key in bench.storage.objects if key.startswith("outputs/")]


def another_job(result: dict[str, object]) -> None:
    result["request_id"] = "b"


def another_entry(result: dict[str, object]) -> None:
    result["entry"] = str(result["entry"]).replace(".1-", ".2-")


def no_result(result: dict[str, object]) -> None:
    result.clear()


@pytest.mark.parametrize("change", [another_job, another_entry, no_result])
def test_a_result_that_does_not_fit_its_place_is_removed(
    bench: Bench, incoming: MemoryIncoming, change: Callable[[dict[str, object]], None]
) -> None:
    _, host = begun(bench)
    entry = push(incoming, host)
    result = json.loads((host.root / "outbox" / entry / "result.json").read_bytes())
    change(result)
    replace(incoming, entry, "result.json", json.dumps(result).encode())
    gone(bench)
    bench.clock.advance(LEASE_S + 1)

    settle(bench, bench.watcher(), 10)

    assert (state(bench), lying(incoming)) == (JobState.RUNNING, [])


def moved(incoming: MemoryIncoming, host: ScriptedHost, entry: str, to: str) -> None:
    """As if the place of another lease had been signed for."""
    for file in (host.root / "outbox" / entry).iterdir():
        data = file.read_bytes().replace(entry.encode(), to.encode())
        replace(incoming, to, file.name, data)
    incoming.remove([file.name for file in incoming.list() if incoming_name(entry, "") in file.name])


def test_another_lease_than_the_one_that_the_queue_knows_is_not_believed(
    bench: Bench, incoming: MemoryIncoming
) -> None:
    """Its token is another one: of the job as it was before it was forgotten and asked for anew, say."""
    _, host = begun(bench)
    entry = push(incoming, host)
    job, _, _ = entry.partition(".")
    moved(incoming, host, entry, f"{job}.1-AAAAAAAA")
    gone(bench)
    bench.ledger = MemoryLedger()  # a leader that knows nothing of that machine
    bench.clock.advance(LEASE_S + 1)

    settle(bench, bench.watcher(), 120)

    assert state(bench) is not JobState.DONE
    assert lying(incoming) == []


def test_a_later_lease_than_the_queue_ever_gave_is_removed(bench: Bench, incoming: MemoryIncoming) -> None:
    _, host = begun(bench)
    entry = push(incoming, host)
    job, _, _ = entry.partition(".")
    moved(incoming, host, entry, f"{job}.7-AAAAAAAA")
    gone(bench)

    settle(bench, bench.watcher(), 10)

    assert lying(incoming) == []


@pytest.mark.parametrize(("suffix", "size"), [("wav", MAX_FILE_BYTES + 1), ("json", MAX_RESULT_BYTES + 1)])
def test_what_is_larger_than_any_result_is_removed_unread_and_costs_no_attempt(
    bench: Bench, incoming: MemoryIncoming, monkeypatch: pytest.MonkeyPatch, suffix: str, size: int
) -> None:
    _, host = begun(bench)
    push(incoming, host)
    large = [dataclasses.replace(file, bytes=size) for file in incoming.list() if file.name.endswith(suffix)]
    others = [file for file in incoming.list() if not file.name.endswith(suffix)]
    gone(bench)
    with monkeypatch.context() as patch:
        patch.setattr(incoming, "list", lambda: [*large, *others])
        settle(bench, bench.watcher(), 10)

    assert lying(incoming) == []
    record = bench.queue.job("a")
    assert record is not None
    assert (record.last_error, record.state) == (None, JobState.RUNNING)


@pytest.mark.parametrize("whole", [True, False])
def test_what_nobody_wants_is_removed_after_a_day(
    bench: Bench, incoming: MemoryIncoming, whole: bool
) -> None:
    """Of another queue with the same store, or of a machine that was cut off."""
    watcher, host = begun(bench)
    push(incoming, host)
    watcher.leave()
    gone(bench)
    if whole:
        bench.queue = type(bench.queue)(now_ms=lambda: round(bench.clock.now() * 1000))
    else:
        incoming.remove([file.name for file in incoming.list() if file.name.endswith("result.json")])
        bench.queue.cancel("a")
    following = bench.watcher()

    settle(bench, following, 120)
    assert lying(incoming)

    bench.clock.advance(DAY_S)
    settle(bench, following, 10)
    assert lying(incoming) == []


def test_the_result_of_another_queues_job_is_read_once(
    bench: Bench, incoming: MemoryIncoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bucket may serve several: nobody may pay each minute for reading what is not his."""
    watcher, host = begun(bench)
    push(incoming, host)
    watcher.leave()
    gone(bench)
    bench.queue = type(bench.queue)(now_ms=lambda: round(bench.clock.now() * 1000))
    read, really = list[str](), incoming.open

    def counted(name: str) -> BinaryIO:
        read.append(name)
        return really(name)

    monkeypatch.setattr(incoming, "open", counted)
    settle(bench, bench.watcher(), 300)

    assert len(read) == 1
    assert len(lying(incoming)) > 1


def test_a_store_that_does_not_answer_holds_nothing_up(
    bench: Bench, incoming: MemoryIncoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise StorageUnavailable("No answer.")

    _, host = begun(bench)
    push(incoming, host)
    gone(bench)
    bench.clock.advance(LEASE_S + 1)
    with monkeypatch.context() as patch:
        patch.setattr(incoming, "list", refuse)
        watcher = bench.watcher()
        settle(bench, watcher, 10)
        assert bench.rented()  # the job is spoken anew
    settle(bench, watcher, 120)
    assert state(bench) is JobState.DONE


@pytest.mark.parametrize("is_away", [False, True], ids=["", "the store is away at first"])
def test_a_leader_after_the_one_that_took_it_up_settles_it_and_nothing_is_spoken_again(
    bench: Bench, incoming: MemoryIncoming, monkeypatch: pytest.MonkeyPatch, is_away: bool
) -> None:
    """The queue has the lease under the last words' name then, and this term has heard none yet."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise StorageUnavailable("No answer.")

    _, host = begun(bench)
    push(incoming, host)
    gone(bench)
    with monkeypatch.context() as patch:
        patch.setattr(bench.storage, "put", refuse)
        settle(bench, bench.watcher(), 20)
    assert (state(bench), len(lying(incoming))) == (JobState.RUNNING, 2)
    bench.name, bench.lead.epoch = "carol", 3

    watcher = bench.watcher()
    if is_away:
        with monkeypatch.context() as patch:
            patch.setattr(incoming, "list", refuse)
            settle(bench, watcher, 10)
    settle(bench, watcher, 90)

    record = bench.queue.job("a")
    assert record is not None
    assert (record.state, record.attempt) == (JobState.DONE, 1)
    assert (len(bench.company.asked), lying(incoming)) == (1, [])


def test_words_that_cannot_be_heard_keep_no_machine_from_ending(
    bench: Bench, incoming: MemoryIncoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise SpoolFull("The disk is full.")

    watcher, host = begun(bench)
    push(incoming, host)
    bench.access.hosts.clear()
    bench.company.rentals.clear()
    monkeypatch.setattr(Dispatcher, "rehome", fail)

    for _ in range(60):
        watcher.step()
        bench.clock.advance(5)

    assert any("The disk is full." in text for kind, text in bench.told if kind == "trouble")


def test_a_paused_queue_uses_up_no_wish_for_a_lease(bench: Bench, incoming: MemoryIncoming) -> None:
    watcher, host = begun(bench)
    watcher.leave()
    push(incoming, host)
    gone(bench)
    bench.queue.pause()
    following = bench.watcher()
    settle(bench, following, 60)

    bench.queue.resume()
    settle(bench, following, 60)

    assert (state(bench), len(bench.company.asked), lying(incoming)) == (JobState.DONE, 1, [])
