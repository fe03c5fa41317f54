"""The picture worker's loop, against its small port."""

from __future__ import annotations

from itertools import repeat

import pytest

from lib.errors import BadConfiguration, BadInput, TryAgain, Unavailable
from lib.storage.port import StorageMisconfigured, StorageUnavailable
from synth.imagen.delivery import RowLost
from synth.imagen.worker import one_line
from synth.pictures.backend import BackendUnavailable, PaidInVain
from synth.pictures.checked import UnfitPicture
from tests.unit.imagen.rows import Floor, job

AWAY = Unavailable("the database does not answer")


def test_a_row_ends_done_and_is_forgotten_on_the_disk() -> None:
    floor = Floor(job(1))

    assert floor.run() == [("00000001", "done", "2026-11-30/00000001.png")]
    assert floor.deliveries.forgotten == ["00000001"]
    (report,) = floor.reports
    assert (report.end, report.path, report.error) == ("done", "2026-11-30/00000001.png", "")


def test_a_row_that_nobody_can_draw_ends_failed_with_one_line() -> None:
    floor = Floor(job(1))
    floor.deliveries.raises[job(1).id] = repeat(BadInput("no such\nbackend\x1b[1m; there are: card"))

    assert floor.run() == [("00000001", "failed", "no such backend [1m; there are: card")]


def test_a_backend_that_breaks_fails_its_row_and_not_the_worker() -> None:
    floor = Floor(job(1), job(2))
    floor.deliveries.raises[job(1).id] = repeat(ZeroDivisionError("division by zero"))

    first, second = floor.run()

    assert first == ("00000001", "failed", "the backend mock broke: ZeroDivisionError: division by zero")
    assert second[1] == "done"


def test_what_is_no_picture_ends_its_row_at_once() -> None:
    floor = Floor(job(1))
    floor.deliveries.raises[job(1).id] = repeat(UnfitPicture("it is no PNG", 0.25))

    assert floor.run() == [("00000001", "failed", "it is no PNG")]


def test_a_row_whose_picture_was_paid_for_and_is_lost_is_not_paid_for_again() -> None:
    """I4: the server of pictures drew it, and its file cannot be had."""
    floor = Floor(job(1))
    floor.deliveries.raises[job(1).id] = repeat(PaidInVain("drawn, but it cannot be fetched", 0.025))

    assert floor.run() == [("00000001", "failed", "drawn, but it cannot be fetched")]


def test_a_row_without_an_owner_gets_that_of_the_settings() -> None:
    assert Floor(job(1, owner=None), owner="somebody").run()[0][1] == "done"

    (ended,) = Floor(job(1, owner=None)).run()

    assert ended[1] == "failed"
    assert "IMAGEN_OWNER_USER_ID" in ended[2]


def test_a_wake_for_a_row_that_is_not_there_changes_nothing() -> None:
    floor = Floor()
    floor.events.append(lambda: None)  # somebody said an id, and its row is gone

    assert floor.run() == []
    assert floor.rows.claims == 2


def test_a_row_that_is_gone_when_its_picture_is_there_is_left() -> None:
    floor = Floor(job(1), job(2))
    floor.rows.gone.add(job(1).id)

    assert [ended[0] for ended in floor.run()] == ["00000002"]
    assert [report.end for report in floor.reports] == ["lost", "done"]
    assert floor.deliveries.forgotten == ["00000002"]


def test_a_row_whose_lease_is_lost_while_it_is_drawn_is_left() -> None:
    floor = Floor(job(1), job(2))
    floor.deliveries.raises[job(1).id] = repeat(RowLost())

    assert [ended[0] for ended in floor.run()] == ["00000002"]


def test_the_whole_backlog_is_drained_at_one_wake() -> None:
    floor = Floor()
    floor.events.append(lambda: floor.rows.ready.extend(job(number) for number in range(1, 21)))

    assert len(floor.run()) == 20
    assert len(floor.waits) == 2


def test_it_looks_for_itself_every_five_seconds() -> None:
    floor = Floor()
    floor.events.extend([lambda: None] * 3)

    floor.run()

    assert floor.waits == [5.0] * 4


def test_asked_to_stop_it_finishes_the_picture_at_hand_and_takes_no_other() -> None:
    floor = Floor(job(1), job(2))

    def asked(_job: object) -> None:
        floor.stop.asked = True

    floor.deliveries.before = asked

    assert [ended[:2] for ended in floor.run()] == [("00000001", "done")]
    assert len(floor.rows.ready) == 1
    assert floor.waits == []


class TestADatabaseThatDoesNotAnswer:
    def test_is_asked_again_with_growing_pauses_and_told_of_once(self) -> None:
        floor = Floor(job(1))
        floor.rows.troubles.extend([AWAY, TryAgain("busy"), AWAY])
        floor.events.extend([lambda: None] * 3)

        assert floor.run()[0][1] == "done"
        assert [round(seconds, 6) for seconds in floor.waits] == [0.2, 0.4, 0.8, 5.0]
        assert floor.warnings == [AWAY.message]

    def test_is_told_of_again_when_it_goes_away_again(self) -> None:
        floor = Floor()
        floor.rows.troubles.extend([AWAY, None, AWAY])
        floor.events.extend([lambda: None] * 3)

        floor.run()

        assert len(floor.warnings) == 2

    def test_does_not_keep_it_from_stopping(self) -> None:
        floor = Floor(job(1))
        floor.rows.troubles.extend([AWAY] * 100)

        assert floor.run() == []

    def test_gets_the_end_of_a_row_when_it_answers_again(self) -> None:
        floor = Floor(job(1))
        floor.rows.troubles.extend([None, AWAY, AWAY, AWAY])

        assert floor.run()[0][1] == "done"

    def test_for_as_long_as_a_lease_leaves_the_row_to_its_lease(self) -> None:
        floor = Floor(job(1), lease_s=30.0)
        floor.rows.troubles.extend([None, *[AWAY] * 60])

        assert floor.run() == []
        assert floor.reports[0].end == "lost"
        assert floor.deliveries.forgotten == []  # whoever claims it goes on from there
        assert floor.clock.monotonic() <= 31

    def test_that_refuses_for_good_ends_the_worker(self) -> None:
        floor = Floor(job(1))
        floor.rows.troubles.append(BadConfiguration("refuses this user or password"))

        with pytest.raises(BadConfiguration):
            floor.run()


class TestAStoreThatRefuses:
    @pytest.mark.parametrize("kind", [StorageUnavailable, StorageMisconfigured])
    def test_keeps_every_row_waiting_and_counts_no_attempt(self, kind: type[StorageUnavailable]) -> None:
        floor = Floor(job(1), job(2))
        floor.deliveries.raises[job(1).id] = iter([kind("the disk is full")])
        floor.events.append(lambda: floor.rows.ready.appendleft(job(1)))

        ended = floor.run()

        assert [each[:2] for each in ended] == [
            ("00000001", "uncounted"),
            ("00000001", "done"),
            ("00000002", "done"),
        ]
        assert floor.warnings == ["the disk is full"]
        assert floor.waits[0] == 0.2

    def test_is_not_asked_more_often_because_rows_come_in(self) -> None:
        floor = Floor(job(1))
        floor.deliveries.raises[job(1).id] = repeat(StorageUnavailable("away"))
        floor.rings = repeat(0.05)
        floor.events.extend([lambda: None] * 2)

        floor.run()

        assert [round(seconds, 6) for seconds in floor.waits] == [0.2, 0.15, 0.1]
        assert floor.rows.claims == 1


class TestABackendThatDoesNotAnswer:
    def test_is_tried_again_later_while_other_rows_go_on(self) -> None:
        floor = Floor(job(1), job(2))
        floor.deliveries.raises[job(1).id] = repeat(BackendUnavailable("no GPU is free"))

        assert [each[:2] for each in floor.run()] == [("00000001", "again"), ("00000002", "done")]
        assert floor.warnings == []

    def test_fails_the_row_after_the_last_attempt(self) -> None:
        floor = Floor(job(1, attempts=3), most_attempts=3)
        floor.deliveries.raises[job(1).id] = repeat(BackendUnavailable("no GPU is free"))

        assert floor.run() == [("00000001", "failed", "no GPU is free")]


def test_a_row_that_ends_its_workers_is_given_up() -> None:
    floor = Floor(job(1, attempts=4), job(2, attempts=4, error="no GPU is free"), most_attempts=3)

    assert floor.run() == [
        (
            "00000001",
            "failed",
            "given up after 3 attempts: each time its worker ended before the picture was there",
        ),
        ("00000002", "failed", "given up after 3 attempts: no GPU is free"),
    ]


def test_a_long_error_is_cut() -> None:
    assert len(one_line("x" * 100_000)) == 1000
