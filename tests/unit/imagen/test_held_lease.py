"""A lease is held while its block lasts, and no longer; a bell wakes."""

from __future__ import annotations

import queue
import signal
import threading

from lib.clock import ManualClock
from lib.errors import Unavailable
from synth.imagen.bell import PictureBell
from synth.imagen.held_lease import HeldLease
from synth.worker.stop import StopSignal


def test_it_is_renewed_until_the_block_ends_whatever_the_database_says() -> None:
    renewed: queue.Queue[int] = queue.Queue()
    answers = iter(range(1_000_000))

    def renew() -> bool:
        number = next(answers)
        renewed.put(number)
        if number == 1:
            raise Unavailable("the database does not answer")
        return True

    before = set(threading.enumerate())
    with HeldLease(renew, 0.001):
        assert [renewed.get(timeout=60) for _ in range(4)] == [0, 1, 2, 3]

    assert set(threading.enumerate()) <= before  # those of others may end meanwhile


def test_one_that_is_lost_is_not_asked_for_again() -> None:
    renewed: queue.Queue[None] = queue.Queue()

    def lost() -> bool:
        renewed.put(None)
        return False

    with HeldLease(lost, 0.001) as held:
        renewed.get(timeout=60)
        while held.is_alive:
            held.wait(1)

    assert renewed.empty()


def test_a_bell_wakes_once_for_many_rings_and_for_the_order_to_stop() -> None:
    stop = StopSignal(ManualClock())
    bell = PictureBell(stop)
    for _ in range(100_000):  # more than a pipe holds
        bell.ring("an id")

    bell.wait(60)
    bell.wait(0)  # nothing is left: a second wait takes its time

    stop.on_signals(signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR1)
    bell.wait(60)
    assert stop.asked
    bell.close()
