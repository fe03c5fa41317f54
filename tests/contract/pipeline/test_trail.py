"""P24: events in one order, none lost and none twice; P2: a run's graph never changes."""

from __future__ import annotations

import threading

import pytest

from lib.errors import BadInput
from lib.pipeline.failures import RunConflict
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.orchestration import skip_unknown
from lib.pipeline.runs import NewRun, start_job, start_jobs
from lib.pipeline.snapshots import active_snapshot, list_snapshots, save_snapshot
from lib.pipeline.trail import events_after, place_events
from tests.contract.pipeline.floor import Floor, dag_of, diamond


def test_positions_are_whole_numbers_without_a_gap_that_never_change(floor: Floor) -> None:
    floor.start(diamond(), "r1")
    first = events_after(floor.ledger, 0)
    floor.start(diamond(), "r2")
    floor.work()

    everything = events_after(floor.ledger, 0)

    begin = first[0].position
    assert [event.position for event in everything] == list(range(begin, begin + len(everything)))
    assert everything[: len(first)] == first
    assert events_after(floor.ledger, everything[-1].position) == []


def test_a_page_goes_on_where_the_last_one_ended(floor: Floor) -> None:
    floor.start(diamond())
    floor.work()
    whole = events_after(floor.ledger, 0)
    pages, position = [], 0
    while page := events_after(floor.ledger, position, count=3):
        pages += page
        position = page[-1].position
    assert pages == whole


def test_readers_at_the_same_time_see_the_same_order_and_miss_nothing(floor: Floor) -> None:
    for number in range(8):
        floor.start(dag_of("one", only={}), f"r{number}")
    seen: list[list[int]] = [[], [], []]
    done = threading.Event()

    def read(mine: list[int]) -> None:
        position = 0
        while True:
            last = done.is_set()
            for event in events_after(floor.ledger, position):
                position = event.position
                mine.append(position)
            if last:
                return

    readers = [threading.Thread(target=read, args=[mine]) for mine in seen]
    for reader in readers:
        reader.start()
    writers = [threading.Thread(target=floor.work, args=[f"w:{n}"]) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    for reader in readers:
        reader.join()

    events = events_after(floor.ledger, 0)
    assert len(events) == 8 * 4  # started, stage started, stage completed, completed
    assert seen == [[event.position for event in events]] * 3


def test_nothing_is_placed_twice(floor: Floor) -> None:
    floor.start(diamond())
    assert place_events(floor.ledger) == 1
    assert place_events(floor.ledger) == 0


def test_the_same_id_with_the_same_inputs_is_a_duplicate_and_with_others_a_conflict(floor: Floor) -> None:
    floor.start(diamond(), "r1", uri="a")
    snapshot = save_snapshot(floor.ledger, diamond().graph()).id
    again = start_job(floor.ledger, snapshot, NewRun(id="r1", inputs={"uri": "a"}))
    assert not again.created
    with pytest.raises(RunConflict, match="other inputs"):
        start_job(floor.ledger, snapshot, NewRun(id="r1", inputs={"uri": "b"}))
    other = save_snapshot(floor.ledger, dag_of("other", a={}).graph()).id
    with pytest.raises(RunConflict, match="of the pipeline diamond"):
        start_job(floor.ledger, other, NewRun(id="r1", inputs={"uri": "a"}))
    assert floor.trail("r1") == ["job_started"]


def test_several_runs_are_started_all_or_none(floor: Floor) -> None:
    snapshot = save_snapshot(floor.ledger, diamond().graph()).id
    start_job(floor.ledger, snapshot, NewRun(id="b", inputs={"x": 1}))
    with pytest.raises(RunConflict):
        start_jobs(floor.ledger, snapshot, [NewRun(id="a"), NewRun(id="b", inputs={"x": 2})])
    assert [event.run for event in events_after(floor.ledger, 0)] == ["b"]


@pytest.mark.parametrize("run", ["", "..", "a/b", "-x", "a" * 65, "é", "a\n"])
def test_an_id_that_cannot_name_a_folder_is_refused(floor: Floor, run: str) -> None:
    snapshot = save_snapshot(floor.ledger, diamond().graph()).id
    with pytest.raises(BadInput, match="cannot be the id of a run"):
        start_job(floor.ledger, snapshot, NewRun(id=run))


DEEP: list[object] = []
for _ in range(5000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "inputs",
    [{"x": float("nan")}, {"x": object()}, {"x": "a" * (1 << 20)}, {"x": DEEP}, {"x": "\ud800"}],
    ids=["nan", "object", "long", "deep", "half"],
)
def test_inputs_that_are_no_json_or_too_long_are_refused(floor: Floor, inputs: dict[str, object]) -> None:
    snapshot = save_snapshot(floor.ledger, diamond().graph()).id
    with pytest.raises(BadInput):
        start_job(floor.ledger, snapshot, NewRun(inputs=inputs))


@pytest.mark.parametrize("words", ["\ud800", "a\0b", "a" * 10_001], ids=["half", "nul", "long"])
def test_words_that_no_database_holds_are_refused(floor: Floor, words: str) -> None:
    snapshot = save_snapshot(floor.ledger, diamond().graph()).id
    for run in (NewRun(slug=words), NewRun(intent=words)):
        with pytest.raises(BadInput, match="cannot be kept"):
            start_job(floor.ledger, snapshot, run)


def test_the_first_snapshot_of_a_pipeline_is_active_and_others_when_asked(floor: Floor) -> None:
    old, new = diamond(), dag_of("diamond", top={})
    first = save_snapshot(floor.ledger, old.graph())
    second = save_snapshot(floor.ledger, new.graph())
    assert (first.active, second.active) == (True, False)
    assert save_snapshot(floor.ledger, new.graph(), activate=True).active
    active = active_snapshot(floor.ledger, "diamond")
    assert active is not None
    assert active.id == second.id
    assert sum(snapshot.active for snapshot in list_snapshots(floor.ledger)) == 1


def test_new_code_leaves_the_graph_of_a_run_as_it_is_and_skips_what_it_lost(floor: Floor) -> None:
    floor.start(diamond())
    (top,) = floor.claim()
    floor.done(top)
    floor.clock.advance(60.0)
    new = dag_of("diamond", top={}, right={"requires": ["top"]}, bottom={"requires": ["right"]}, more={})
    snapshot = save_snapshot(floor.ledger, new.graph(), activate=True)
    floor.dags["diamond"] = new

    gone = skip_unknown(floor.ledger, "diamond", list(new.tasks), snapshot_at=snapshot.created_at)

    assert gone == [("r1", "left")]
    assert list(floor.states()) == ["top", "left", "right", "bottom"]
    (right,) = floor.claim()
    floor.done(right)
    (bottom,) = floor.claim()
    assert bottom.inputs == {"right": "right"}  # a skipped requirement is met, and is not there
    floor.done(bottom)
    assert floor.state() == "completed"


def test_older_code_skips_nothing_of_a_newer_run(floor: Floor) -> None:
    old = save_snapshot(floor.ledger, dag_of("diamond", top={}).graph())
    floor.clock.advance(60.0)
    snapshot = save_snapshot(floor.ledger, diamond().graph(), activate=True).id
    start_job(floor.ledger, snapshot, NewRun(id="r1"))
    floor.dags["diamond"] = dag_of("diamond", top={})
    (top,) = floor.claim()
    floor.done(top)

    assert skip_unknown(floor.ledger, "diamond", ["top"], snapshot_at=old.created_at) == []
    assert floor.claim() == []  # it waits for a worker that has its code
    assert floor.states()["left"] == "pending"


def test_a_ledger_opened_again_goes_on(floor: Floor) -> None:
    floor.start(diamond())
    (top,) = floor.claim()
    again = Floor(PipelineLedger(floor.ledger.database, clock=floor.clock), floor.clock, floor.dags)
    assert again.done(top)
    assert again.work() == ["left", "right", "bottom"]
