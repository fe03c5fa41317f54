"""Each finding of `reconcile`: break that one thing, see only its id, mend it, see that all fits (Q22)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.findings import Finding
from lib.jobqueue import JobState
from lib.jobqueue.redis.upkeep import MISFITS
from lib.jobs.reconcile import Audit
from lib.jobs.reconcile_messages import KINDS, WORDS
from tests.contract.jobqueue.jobs import job
from tests.doubles import records
from tests.integration.jobs.conftest import HELD, Yard
from tests.integration.jobs.strange import other_audio

GROUP = "watchers"


def look(yard: Yard, *, mend: bool = False, deep: bool = False, forget_gone: bool = False) -> list[Finding]:
    audit = Audit(yard.queue, yard.storage, mend=mend, deep=deep, forget_gone=forget_gone)
    return list(audit.findings())


def ids(findings: list[Finding]) -> list[str]:
    return [item.kind.id for item in findings]


def drop_entry(yard: Yard, request_id: str) -> None:
    entry = yard.entry_of(request_id)
    yard.raw.xack(yard.key("stream"), GROUP, entry)
    yard.raw.xdel(yard.key("stream"), entry)


def lost_entry(yard: Yard) -> None:
    entry = yard.raw.xadd(yard.key("stream:low"), {"id": "nobody"})
    yard.raw.xgroup_create(yard.key("stream:low"), GROUP, "0")
    yard.raw.xreadgroup(GROUP, HELD, {yard.key("stream:low"): ">"})
    yard.raw.xdel(yard.key("stream:low"), entry)


def forget_delivery(yard: Yard) -> None:
    yard.raw.xack(yard.key("stream"), GROUP, yard.entry_of("returned"))
    yard.raw.zrem(yard.key("leases"), "returned")


def point_to(yard: Yard, request_id: str, other: str) -> None:
    """Make a job point to the entry of another one, as after a stream was lost and made anew."""
    rows = {name: json.loads(yard.raw.hget(yard.key("state"), name)) for name in (request_id, other)}
    yard.raw.xdel(yard.key("stream"), rows[request_id][6])
    rows[request_id][6] = rows[other][6]
    yard.raw.hset(yard.key("state"), request_id, json.dumps(rows[request_id]))


def draw(yard: Yard) -> Path:
    """Finish the next job, with a waveform and captions; returns where the first lies in the store."""
    audio, waveform, captions = (
        yard.stored(f"drawn.{suffix}", data)
        for suffix, data in (("wav", b"audio"), ("peaks.json", b"waveform"), ("srt", b"captions"))
    )
    (lease,) = yard.queue.claim("ann")
    yard.complete(lease, records.take(audio=audio, peaks=waveform, caption_files=(captions,)))
    return yard.folder / "store" / str(waveform.key)


def stage_alone(yard: Yard) -> None:
    row = '["staged","v1:00","normal",3,1,1,"feedfeedfeedfeed",""]'
    yard.raw.hset(yard.key("state"), "halfway", row)


def ghost(name: str) -> Callable[[Yard], object]:
    return lambda yard: yard.raw.hset(yard.key(name), "ghost", "{}")


def scored(name: str, member: str) -> Callable[[Yard], object]:
    return lambda yard: yard.raw.zadd(yard.key(name), {member: 1})


def damaged_row(raw: str) -> Callable[[Yard], object]:
    return lambda yard: yard.raw.hset(yard.key("state"), "weird", raw)


LONG_AGO = '["waiting","v1:00","normal",3,"yesterday",1,"1-1"]'  # a time that is no number

BREAKS: dict[str, list[Callable[[Yard], object]]] = {
    "R001": [
        lambda yard: yard.raw.xdel(yard.key("stream"), yard.entry_of("waiting")),
        lambda yard: yard.raw.zrem(yard.key("leases"), "returned"),
        lambda yard: yard.raw.xreadgroup(GROUP, "stranger", {yard.key("stream"): ">"}),
        lambda yard: yard.raw.xack(yard.key("stream"), GROUP, yard.entry_of("returned")),
        forget_delivery,
        lambda yard: yard.raw.zadd(yard.key("leases"), {"waiting": 0}),
        lambda yard: yard.unlink_entry("waiting"),
    ],
    "R002": [lambda yard: yard.raw.zrem(yard.key("leases"), "running")],
    "R003": [
        lambda yard: drop_entry(yard, "running"),
        lambda yard: yard.raw.xack(yard.key("stream"), GROUP, yard.entry_of("running")),
    ],
    "R004": [lambda yard: yard.raw.zrem(yard.key("delayed"), "later")],
    "R005": [
        lambda yard: yard.raw.hdel(yard.key("spec"), "waiting"),
        lambda yard: yard.raw.hdel(yard.key("spec"), "running"),
        lambda yard: yard.raw.hdel(yard.key("spec"), "later"),
    ],
    "R006": [
        lambda yard: yard.raw.hdel(yard.key("result"), "done"),
        lambda yard: yard.raw.hdel(yard.key("failed"), "canceled"),
    ],
    "R007": [
        lambda yard: yard.raw.zrem(yard.key("history"), "done"),
        lambda yard: yard.raw.zrem(yard.key("history:failed"), "failed"),
    ],
    "R008": [stage_alone],
    "R009": [
        lambda yard: yard.raw.xadd(yard.key("stream"), {"id": "waiting"}),
        lambda yard: yard.raw.xadd(yard.key("stream:low"), {"id": "nobody"}),
    ],
    "R010": [lost_entry],
    "R011": [scored("leases", "done"), scored("leases", "ghost"), scored("leases", "later")],
    "R012": [scored("delayed", "done"), scored("delayed", "waiting"), scored("delayed", "ghost")],
    "R013": [
        ghost("result"),
        ghost("failed"),
        lambda yard: yard.raw.hset(yard.key("failed"), "waiting", "{}"),
        lambda yard: yard.raw.hset(yard.key("failed"), "done", "{}"),
        lambda yard: yard.raw.hset(yard.key("result"), "failed", "{}"),
    ],
    "R014": [scored("history", "ghost"), scored("history", "running"), scored("history:failed", "done")],
    "R015": [ghost("spec"), lambda yard: yard.raw.hset(yard.key("spec"), "done", "{}")],
    "R016": [
        ghost("progress"),
        ghost("errors"),
        lambda yard: yard.raw.hset(yard.key("progress"), "waiting", "{}"),
    ],
    "R017": [
        lambda yard: yard.raw.hset(yard.key("meta"), "canceled", 7),
        lambda yard: yard.raw.hset(yard.key("meta"), "publishing", 3),
    ],
    "R018": [lambda yard: yard.raw.rpush(yard.key("batch:0123456789abcdef"), "waiting")],
    "R019": [lambda yard: next((yard.folder / "store/blobs").rglob("*/*/*")).unlink()],
    "R020": [lambda yard: (yard.folder / "store/outputs/done.wav").unlink()],
    "R021": [lambda yard: draw(yard).unlink()],
    "R022": [damaged_row(raw) for raw in ("notjson", '["sleeping"]', "7", "[]", '["waiting"]', LONG_AGO)],
    "R023": [other_audio(b"of another job")],
}
CASES = [(kind, number) for kind, breaks in BREAKS.items() for number in range(len(breaks))]


def test_every_finding_has_a_way_to_break_it() -> None:
    assert set(BREAKS) == {kind.id for kind in KINDS}
    assert set(MISFITS) == set(WORDS) - {*("artifact_gone", "unpublished", "waveform_gone", "another_ones")}


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_one_broken_thing_is_found_alone_and_mended(yard: Yard, kind: str, number: int) -> None:
    """Q22."""
    assert look(yard) == []
    BREAKS[kind][number](yard)

    assert ids(look(yard)) == [kind]
    assert ids(look(yard)) == [kind]  # looking changes nothing
    mended = look(yard, mend=True)

    assert [(item.kind.id, item.mended) for item in mended] == [(kind, True)]
    assert look(yard) == []


def test_a_waiting_job_that_lost_its_entry_is_given_out_again(yard: Yard) -> None:
    yard.raw.xdel(yard.key("stream"), yard.entry_of("waiting"))

    look(yard, mend=True)

    assert {lease.request_id for lease in yard.queue.claim("w-2", count=9)} == {
        "returned",
        "first",
        "waiting",
    }


def test_two_jobs_that_point_to_one_entry_are_told_apart_and_both_given_out(yard: Yard) -> None:
    yard.queue.enqueue([job("twin")])
    point_to(yard, "twin", "waiting")

    found = look(yard, mend=True)

    assert [(item.kind.id, item.subject) for item in found] == [("R001", "twin")]
    assert look(yard) == []
    assert {"waiting", "twin"} <= {lease.request_id for lease in yard.queue.claim("w-2", count=9)}


def test_failing_a_job_never_takes_the_entry_of_another(yard: Yard) -> None:
    yard.queue.enqueue([job("twin")])
    point_to(yard, "twin", "waiting")
    yard.raw.hdel(yard.key("spec"), "twin")

    assert ids(look(yard, mend=True)) == ["R005"]

    assert look(yard) == []


def test_mending_the_delivery_of_a_running_job_leaves_its_entry(yard: Yard) -> None:
    entry = yard.entry_of("running")
    yard.raw.xack(yard.key("stream"), GROUP, entry)

    look(yard, mend=True)

    assert yard.entry_of("running") == entry


def test_dropping_the_progress_of_a_job_that_waits_leaves_its_last_error(yard: Yard) -> None:
    yard.raw.hset(yard.key("progress"), "again", "{}")

    assert ids(look(yard, mend=True)) == ["R016"]

    again = yard.queue.job("again")
    assert again is not None
    assert (again.last_error or {})["message"] == "The engine stumbled."


@pytest.mark.parametrize("name", ["another", "zoo"])  # before and behind "watchers" in the server's list
def test_another_group_of_the_stream_is_no_finding(yard: Yard, name: str) -> None:
    yard.raw.xgroup_create(yard.key("stream"), name, "$")

    assert look(yard) == []


def test_an_entry_that_went_while_it_was_looked_at_is_no_finding(yard: Yard) -> None:
    assert yard.upkeep._run("repair_entries", GROUP, "1", "normal", "1-1") == []


def test_a_counter_that_moved_meanwhile_is_left_alone(yard: Yard) -> None:
    assert yard.upkeep._run("repair_meta", "canceled", "5", 9) == 0
    assert yard.raw.hget(yard.key("meta"), "canceled") == "1"


def test_only_the_done_job_that_was_looked_at_is_forgotten(yard: Yard) -> None:
    done, failed = yard.queue.result("done"), yard.queue.result("failed")
    assert done is not None
    assert failed is not None

    jobs = [("done", done.lease_no + 1), ("failed", failed.lease_no), ("nobody", 1)]
    assert yard.upkeep.forget(jobs) == []

    assert yard.queue.result("done") == done
    assert yard.queue.result("failed") == failed


def test_a_running_job_that_lost_its_lease_goes_to_the_next_worker(yard: Yard) -> None:
    yard.raw.zrem(yard.key("leases"), "running")
    look(yard, mend=True)

    leases = yard.queue.claim("w-2", count=9)

    assert "running" in {lease.request_id for lease in leases}
    assert look(yard) == []


@pytest.mark.parametrize("whole", [False, True])
def test_a_running_job_whose_entry_was_mended_is_finished_by_its_own_worker(yard: Yard, whole: bool) -> None:
    yard.queue.enqueue([job("mine", priority="low")])
    (lease,) = [item for item in yard.queue.claim("w-2", count=9) if item.request_id == "mine"]
    ((entry, _),) = yard.raw.xrange(yard.key("stream:low"))
    yard.raw.xack(yard.key("stream:low"), GROUP, entry)
    if whole:
        yard.raw.delete(yard.key("stream:low"))
    assert ids(look(yard, mend=True)) == ["R003"]

    yard.queue.complete(lease, {})

    assert look(yard) == []
    assert yard.raw.xlen(yard.key("stream:low")) == 0


def test_a_delayed_job_gets_its_own_time_back(yard: Yard) -> None:
    yard.raw.zrem(yard.key("delayed"), "later", "again")

    look(yard, mend=True)

    later, again = yard.queue.job("later"), yard.queue.job("again")
    assert later is not None
    assert again is not None
    assert later.due_at == 4_000_000_000.0
    assert again.due_at is not None
    assert again.due_at <= time.time() + 1


def test_a_job_without_its_specification_fails_with_the_reason(yard: Yard) -> None:
    yard.raw.hdel(yard.key("spec"), "later", "waiting")

    look(yard, mend=True)

    finished = yard.queue.result("later")
    assert finished is not None
    assert finished.state is JobState.FAILED
    assert "specification" in (finished.error or {})["message"]
    told = [(event.request_id, event.kind) for event in yard.queue.follow_events("0-0")]
    assert [kind for name, kind in told if name == "later"] == ["deferred", "due", "failed"]
    assert [kind for name, kind in told if name == "waiting"] == ["created", "failed"]


def test_a_job_without_its_record_may_be_enqueued_anew(yard: Yard) -> None:
    yard.raw.hdel(yard.key("result"), "done")
    look(yard, mend=True)

    assert yard.queue.enqueue([job("done")])[0].outcome.value == "created"


def test_everything_broken_at_once_is_mended_in_one_go(yard: Yard) -> None:
    for kind in ("R001", "R004", "R007", "R009", "R011", "R012", "R013", "R015", "R016", "R018"):
        BREAKS[kind][0](yard)

    assert look(yard) != []
    look(yard, mend=True)

    assert look(yard) == []


def test_audio_without_a_whole_published_copy_is_left_alone_unless_it_may_be_forgotten(yard: Yard) -> None:
    blob = next((yard.folder / "store/blobs").rglob("*/*/*"))
    blob.unlink()
    (yard.folder / "store/outputs/done.wav").write_bytes(b"edited by somebody")

    (kept,) = look(yard, mend=True)
    assert (kept.kind.id, kept.mended) == ("R019", False)
    assert yard.queue.result("done") is not None

    (gone,) = look(yard, mend=True, forget_gone=True)
    assert gone.mended
    assert yard.queue.job("done") is None
    assert look(yard) == []


def test_only_a_deep_look_notices_changed_bytes_of_the_same_length(yard: Yard) -> None:
    blob = next((yard.folder / "store/blobs").rglob("*/*/*"))
    blob.write_bytes(b"x" * blob.stat().st_size)

    assert look(yard) == []
    assert ids(look(yard, deep=True)) == ["R019"]


def test_a_published_file_that_its_user_edited_is_no_finding(yard: Yard) -> None:
    Path(yard.storage.location("done.wav")).write_bytes(b"louder")

    assert look(yard, deep=True) == []


def test_a_file_that_is_being_enqueued_is_no_finding(yard: Yard) -> None:
    from lib.jobqueue.codec import intake
    from lib.jobqueue.redis.queue import RedisQueue
    from lib.jobqueue.redis.script_calls import ScriptCalls

    assert isinstance(yard.queue, RedisQueue)
    transport, keys, options = yard.queue.parts()
    faces = ScriptCalls(transport, keys, options, None)
    items = [intake(job(f"staged-{n}")) for n in range(5)]
    faces.stage(items, "00000000000000aa", 30_000, first=True)
    assert look(yard, mend=True) == []
    faces.commit("00000000000000aa", 30_000, 1000)
    assert look(yard, mend=True) == []
    faces.publish("00000000000000aa", 2, 30_000)
    assert look(yard, mend=True) == []
    faces.publish("00000000000000aa", 500, 30_000)
    assert look(yard, mend=True) == []


@pytest.mark.parametrize(("name", "data"), [("drawn.peaks.json", b"waveform"), ("drawn.srt", b"captions")])
def test_published_files_beside_the_audio_that_are_gone_are_published_again(
    yard: Yard, name: str, data: bytes
) -> None:
    draw(yard)
    assert look(yard) == []
    beside = Path(yard.storage.location(name))
    beside.unlink()

    assert ids(look(yard, mend=True)) == ["R020"]
    assert beside.read_bytes() == data
    assert look(yard) == []


def test_a_waveform_without_a_whole_copy_is_told_of_and_costs_no_audio(yard: Yard) -> None:
    draw(yard).unlink()
    Path(yard.storage.location("drawn.peaks.json")).write_bytes(b"edited")

    (left,) = look(yard, mend=True, forget_gone=True)

    assert (left.kind.id, left.mended) == ("R021", False)
    assert yard.queue.result(left.subject) is not None


def test_only_a_deep_look_notices_changed_bytes_of_a_waveform(yard: Yard) -> None:
    draw(yard).write_bytes(b"x" * len(b"waveform"))

    assert look(yard) == []
    assert ids(look(yard, deep=True)) == ["R021"]
