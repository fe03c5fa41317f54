"""Leases and jobs keep going on while hosts get other names, stand still, or are left."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

import pytest

from lib.dispatch import Dispatcher, DispatchLimits, LeftSpools
from lib.errors import Unavailable
from lib.jobqueue import JobState, Lease
from lib.jobspec import JobSpec
from lib.spool import HostUnreachable, LocalFiles, Phase, SpoolClient, SpoolUnusable
from lib.workers import LeftSpool, WorkerDeath
from tests.unit.dispatch.bench import KILLED, Bench, Refusal, spec


def _until(bench: Bench, job: JobSpec) -> float:
    """When the job's lease runs out."""
    expires = bench.job(job).expires_at
    assert expires is not None
    return expires


def _idle() -> None:
    return


def test_finished_audio_is_used_though_its_host_has_another_name_now(bench: Bench) -> None:
    job = spec()
    bench.holding(job)
    bench.host.speak_all()
    bench.host.name = "renamed"
    bench.host.script = _idle

    after = bench.dispatcher("bob")
    after.register()
    after.resume()
    assert bench.job(job).state is JobState.WAITING  # at once, not when its lease runs out
    after.step()
    after.claim()
    after.step()

    assert bench.job(job).state is JobState.DONE
    assert list(bench.journal.leases()) == []


@pytest.mark.parametrize("seen_in", [Phase.INBOX, Phase.WORK])
def test_work_that_goes_on_between_two_looks_is_adopted_all_the_same(bench: Bench, seen_in: Phase) -> None:
    """A worker that its killed watcher left does not stand still while the next one reads its folders."""
    job = spec()
    bench.holding(job)
    bench.host.name = "renamed"
    bench.host.script = _idle
    taken = bench.host.take() if seen_in is Phase.WORK else []
    after = bench.dispatcher("bob", replaceable=True)
    after.register()
    after.resume()
    after.step()

    for item in taken or bench.host.take():
        bench.host.speak(item)
    after.claim()
    after.step()

    assert bench.job(job).state is JobState.DONE
    assert bench.job(job).attempt == 1


def test_a_worker_that_keeps_ending_does_not_vouch_for_its_jobs(bench: Bench) -> None:
    job = spec()
    dispatcher = bench.holding(job)
    bench.host.take()
    bench.host.script = lambda: WorkerDeath(75, "exit status 75", ("busy",))

    for _ in range(20):
        bench.clock.advance(30.0)
        dispatcher.renew_if_due()
        dispatcher.step()

    assert _until(bench, job) < bench.clock.now()


def _after_a_crash(bench: Bench, tmp_path: Path, *, name: str = "here") -> tuple[Dispatcher, LeftSpools]:
    """A dispatcher with a new host, beside the spool that a killed one left, whose worker lives on."""
    bench.hosts = []
    bench.another_host("new").script = _idle
    after = bench.dispatcher("bob")
    left = LeftSpools(after, [LeftSpool(name, "here", tmp_path / "spool")])
    after.register()
    after.resume()
    return after, left


def test_what_a_left_worker_has_not_begun_goes_elsewhere_at_once(bench: Bench, tmp_path: Path) -> None:
    begun, waiting = spec("a"), spec("b")
    bench.holding(begun, waiting)
    first = bench.host
    first.take()
    dispatcher, left = _after_a_crash(bench, tmp_path)

    dispatcher.step()
    left.look()

    assert sorted(bench.job(job).state.value for job in (begun, waiting)) == ["running", "waiting"]
    first.close()


def test_what_a_left_worker_finishes_as_its_last_is_adopted(bench: Bench, tmp_path: Path) -> None:
    """It ends between the look at its folders and the claim: only then the job comes to us again."""
    job = spec()
    bench.holding(job)
    first = bench.host
    (taken,) = first.take()
    dispatcher, _ = _after_a_crash(bench, tmp_path, name="renamed")
    dispatcher.step()

    first.speak(taken)
    first.close()
    dispatcher.claim()
    dispatcher.step()

    assert (bench.job(job).state, bench.job(job).attempt) == (JobState.DONE, 1)


def test_a_left_worker_that_stands_still_loses_its_job_and_nobody_else_pays(
    bench: Bench, tmp_path: Path
) -> None:
    job = spec()
    bench.holding(job)
    first = bench.host
    first.take()
    dispatcher, _ = _after_a_crash(bench, tmp_path)

    for _ in range(3):
        bench.clock.advance(bench.limits.silence_s)
        dispatcher.step()

    record = bench.job(job)
    assert (record.state, record.lost) == (JobState.WAITING, 0)
    assert first.restarts == 0
    first.close()


def test_a_job_goes_on_when_its_own_lease_ran_out_and_is_claimed_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = spec()
    dispatcher = bench.holding(job)
    bench.host.script = _idle
    (taken,) = bench.host.take()
    begun, begin = list[int](), bench.queue.begin

    def note(lease: Lease) -> Lease:
        begun.append(lease.lease_no)
        return begin(lease)

    monkeypatch.setattr(bench.queue, "begin", note)
    dispatcher.step()

    bench.clock.advance(61.0)
    dispatcher.claim()
    dispatcher.step()

    assert dispatcher.held == 1
    assert bench.spool.entries() == {taken.entry: Phase.WORK}
    assert begun == [1, 2]  # the queue knows that each lease is at work
    bench.host.speak(taken)
    dispatcher.step()
    assert bench.job(job).state is JobState.DONE


def test_how_long_a_job_is_at_hand_does_not_begin_again_with_its_next_lease(bench: Bench) -> None:
    dispatcher = bench.holding(spec())
    bench.host.script = _idle
    bench.host.take()
    dispatcher.step()

    bench.clock.advance(61.0)
    dispatcher.claim()
    dispatcher.step()

    view = dispatcher.view("here")
    assert view is not None
    assert view.oldest_job_s == 61.0


def test_an_excuse_that_could_not_be_told_is_told_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second death accuses the machine, and the first job is excused for its own."""
    bench.another_host("far", "elsewhere").script = _idle
    dispatcher = bench.holding(spec("a"), spec("b"), replaceable=True)
    here = bench.host
    told: list[str] = []
    refusal = Refusal(monkeypatch, bench.queue, "excuse", Unavailable("away"))
    dispatcher._supervisor._excuses.append(("topic:a", "here"))
    here.script = _idle
    with pytest.raises(Unavailable):
        dispatcher.step()

    refusal.on = False

    def excuse(name: str, machine: str) -> bool:
        told.append(f"{name} {machine}")
        return True

    monkeypatch.setattr(bench.queue, "excuse", excuse)
    dispatcher.step()
    dispatcher.step()

    assert told == ["topic:a here"]


def test_what_was_withdrawn_while_the_queue_was_away_is_handed_back_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = spec()
    dispatcher = bench.holding(job)
    bench.host.script = _idle
    refusal = Refusal(monkeypatch, bench.queue, "release", Unavailable("away"))
    with pytest.raises(Unavailable):
        dispatcher.withdraw()

    refusal.on = False
    dispatcher.step()

    assert (dispatcher.held, bench.job(job).state) == (0, JobState.WAITING)


def test_claimed_jobs_are_handed_back_where_the_disk_is_read_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [spec(name) for name in "abc"]
    bench.enqueue(*jobs)
    dispatcher = bench.dispatcher()
    bench.host.script = _idle
    dispatcher.step()
    for name in ("write", "forget"):
        Refusal(monkeypatch, bench.journal, name, SpoolUnusable("The disk is read-only."))

    with pytest.raises(SpoolUnusable):
        dispatcher.claim()

    assert {bench.job(job).state for job in jobs} == {JobState.WAITING}


def test_every_worker_is_tended_while_the_queue_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = bench.another_host("other")
    dispatcher = bench.holding(spec())
    tended: list[str] = []
    for host in bench.hosts:
        host.script = partial(tended.append, host.name)
    holder = bench.host if bench.spool.entries() else other
    holder.take()
    Refusal(monkeypatch, bench.queue, "begin", Unavailable("away"))

    with pytest.raises(Unavailable):
        dispatcher.step()

    assert sorted(tended) == ["here", "other"]


def test_a_death_is_judged_though_an_earlier_excuse_could_not_be_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = spec()
    dispatcher = bench.holding(job)
    bench.host.script = _idle
    bench.host.take()
    dispatcher.step()
    bench.host.script = lambda: KILLED
    refusal = Refusal(monkeypatch, bench.queue, "fail", Unavailable("away"))
    with pytest.raises(Unavailable):
        dispatcher.step()

    refusal.on = False
    bench.host.script = _idle
    dispatcher.step()

    assert bench.job(job).poisoned == 1


def test_machines_that_do_not_answer_cost_the_others_no_lease(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        bench.another_host(f"h{number}")
    bench.room = 1
    jobs = [spec(f"j{number}") for number in range(8)]
    dispatcher = bench.holding(*jobs, replaceable=True)
    for host in bench.hosts:
        host.script = _idle
    healthy = bench.host
    (taken,) = healthy.take()
    mine = next(job for job in jobs if taken.job and taken.job.request_id == job.request_id)

    def no_answer() -> LocalFiles:
        bench.clock.advance(8.0)
        healthy.beat(taken.entry)
        raise HostUnreachable("no answer")

    for host in bench.hosts[1:]:
        monkeypatch.setattr(host, "files", no_answer)
    for _ in range(4):
        dispatcher.step()
        assert _until(bench, mine) > bench.clock.now()


def test_adopted_work_that_is_done_anew_is_found_under_its_new_name(bench: Bench) -> None:
    job = spec()
    before = bench.holding(job)
    before.hand_back("drain", keep_work=True)
    bench.host.script = _idle
    dispatcher = bench.dispatcher("bob", replaceable=True)
    dispatcher.step()
    dispatcher.claim()
    (adopted,) = bench.spool.entries()
    bench.clock.advance(2.0)
    SpoolClient(bench.host.files()).withdraw(adopted)
    dispatcher.step()
    dispatcher.step()

    (fresh,) = bench.spool.entries()
    bench.clock.advance(100.0)
    (lease,) = bench.queue.claim("carol")

    assert fresh != adopted
    assert lease.spool_entry == fresh


def test_no_more_is_leased_than_the_slots_allow(tmp_path: Path) -> None:
    bench = Bench(tmp_path, limits=DispatchLimits(lease_ms=60_000, slots=3))
    bench.another_host("other")
    bench.enqueue(*[spec(f"j{number}") for number in range(8)])
    for host in bench.hosts:
        host.script = _idle
    dispatcher = bench.dispatcher()
    dispatcher.step()

    dispatcher.claim()
    dispatcher.claim()

    assert dispatcher.held == 3
    bench.close()


def test_whoever_must_leave_at_once_does_not_wait_for_the_workers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher = bench.dispatcher()
    ended = threading.Event()
    monkeypatch.setattr(bench.host, "stop", lambda grace: ended.wait(60.0))
    monkeypatch.setattr(threading.Thread, "join", _leave)
    before = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        dispatcher.stop_workers(60.0)

    assert time.monotonic() - before < 30.0
    ended.set()


def _leave(thread: threading.Thread, timeout: float | None = None) -> None:
    raise KeyboardInterrupt
