"""The pace of the calls."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest

from lib.clock import ManualClock, SystemClock
from lib.providers.rental import RateLimited
from lib.providers.vast.limiter import SPACINGS, CallLimiter, Route


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def at(limiter: CallLimiter, clock: ManualClock, route: Route, patience_s: float = 5.0) -> float:
    with limiter.turn(route, clock.monotonic() + patience_s):
        return clock.monotonic()


@pytest.mark.parametrize("route", [Route.DESTROY, Route.RENT, Route.LIST, Route.SHOW])
def test_two_calls_of_a_route_are_at_least_its_threshold_apart(clock: ManualClock, route: Route) -> None:
    limiter = CallLimiter(clock)
    times = [at(limiter, clock, route) for _ in range(4)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= SPACINGS[route].spacing_s
    assert times[0] == 0.0


def test_the_market_is_searched_twice_at_once_and_ten_times_a_minute(clock: ManualClock) -> None:
    limiter = CallLimiter(clock)
    assert [at(limiter, clock, Route.OFFERS) for _ in range(2)] == [0.0, 0.0]
    with pytest.raises(RateLimited):
        at(limiter, clock, Route.OFFERS)
    times = [at(limiter, clock, Route.OFFERS, 10.0) for _ in range(12)]
    assert sum(time < times[0] + 60.0 for time in times) <= 10


def test_one_route_does_not_wait_for_another(clock: ManualClock) -> None:
    limiter = CallLimiter(clock)
    assert [at(limiter, clock, route) for route in Route] == [0.0] * len(Route)


def test_a_turn_that_would_come_too_late_is_refused_and_says_when(clock: ManualClock) -> None:
    limiter = CallLimiter(clock)
    at(limiter, clock, Route.RENT)
    with pytest.raises(RateLimited) as caught:
        at(limiter, clock, Route.RENT, 1.0)
    assert caught.value.after_s == pytest.approx(4.95)
    clock.advance(4.95)
    assert at(limiter, clock, Route.RENT, 0.0) == pytest.approx(4.95)


def test_after_a_refusal_its_route_rests_as_long_as_it_was_told(clock: ManualClock) -> None:
    limiter = CallLimiter(clock)
    limiter.refused(Route.OFFERS, 3600.0)
    clock.advance(31)
    assert at(limiter, clock, Route.LIST) == 31.0  # a daily quota of searches does not make us blind
    with pytest.raises(RateLimited):
        at(limiter, clock, Route.OFFERS)
    clock.advance(3569)
    at(limiter, clock, Route.OFFERS)


def test_refusals_in_a_row_rest_longer_until_one_call_is_answered(clock: ManualClock) -> None:
    limiter = CallLimiter(clock)
    rests = []
    for _ in range(3):
        limiter.refused(Route.LIST, None)
        began = clock.monotonic()
        rests.append(at(limiter, clock, Route.LIST, 1000.0) - began)
    limiter.answered()
    limiter.refused(Route.LIST, None)
    began = clock.monotonic()
    assert [*rests, at(limiter, clock, Route.LIST, 1000.0) - began] == [5.0, 10.0, 20.0, 5.0]


def test_destroying_rests_only_where_it_was_refused_itself(clock: ManualClock) -> None:
    limiter = CallLimiter(clock)
    limiter.refused(Route.LIST, 60.0)
    assert at(limiter, clock, Route.DESTROY) == 0.0
    with pytest.raises(RateLimited):
        at(limiter, clock, Route.RENT, 4.0)
    limiter.refused(Route.DESTROY, 60.0)
    with pytest.raises(RateLimited):
        at(limiter, clock, Route.DESTROY)


def test_of_those_that_wait_a_destroy_goes_first() -> None:
    limiter, order = CallLimiter(SystemClock()), []
    until = SystemClock().monotonic() + 30.0
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with limiter.turn(Route.LIST, until):
            entered.set()
            go_on.wait(30)

    def take(route: Route) -> Callable[[], None]:
        def run() -> None:
            with limiter.turn(route, until):
                order.append(route)

        return run

    threads = [threading.Thread(target=hold)]
    threads[0].start()
    assert entered.wait(30)
    for route in (Route.RENT, Route.SHOW, Route.DESTROY):
        threads.append(threading.Thread(target=take(route)))
        threads[-1].start()
    while limiter.waiting() < 3:
        threads[-1].join(0.01)
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert order[0] is Route.DESTROY
    assert set(order) == {Route.RENT, Route.SHOW, Route.DESTROY}


def test_a_call_that_fails_gives_its_turn_back(clock: ManualClock) -> None:
    limiter = CallLimiter(clock)
    with pytest.raises(KeyError), limiter.turn(Route.LIST, 5.0):
        raise KeyError
    assert at(limiter, clock, Route.SHOW) == 0.0
