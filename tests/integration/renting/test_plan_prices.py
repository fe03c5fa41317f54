"""`job-runner plan` prices a batch from the market that the leading watcher left on a real server (Q10)."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import redis
from referencing import Registry, Resource

from lib.jobs.plan_cost import Cost, Forbidden, MarketQuestion, PricedWork, cost_of
from lib.leadership.lock import open_leader_lock
from lib.market.model import GpuMarket, Market
from lib.market.stored import publish_market
from lib.redislink.embedded import EmbeddedServer
from tests import warm
from tests.integration.renting.stage import Stage
from tests.integration.servers import Server

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "jobs.example.yaml"


@dataclass(frozen=True)
class Terms:
    """The settings that bound renting, as they are left out."""

    max_machines: int = 4
    max_dph: Decimal = Decimal(1)
    idle_hold_seconds: int | None = None
    spend_cap_hour: Decimal = Decimal(2)
    spend_cap_day: Decimal = Decimal(10)
    spend_cap_month: Decimal = Decimal(100)
    spend_cap_machine: Decimal = Decimal(5)
    spend_cap_batch: Decimal | None = None
    credit_floor: Decimal = Decimal(1)


TERMS = Terms()
CLASSES = (
    GpuMarket("RTX 3060", 12, 60_000, 85_000, 9_000, speeds={"hibari": 31.5}, cold_start_s=140.0),
    GpuMarket("RTX 4090", 1, 300_000, 310_000, interruptible=True, perf=1.9),
)


def publish(url: str, *, age_s: float = 0.0, classes: tuple[GpuMarket, ...] = CLASSES) -> None:
    lock = open_leader_lock(url, owner="ann")
    lock.acquire()
    publish_market(lock, Market("rehearsal", time.time() - age_s, classes))
    lock.close()


def plan(folder: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    usual = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT), **warm.usual()}
    argv = ["job-runner", "plan", str(EXAMPLE), *args]
    return warm.run(argv, warm.CALLS["job-runner"], cwd=folder, environ=usual | environ, timeout_s=60)


def shape_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert (done.returncode, done.stderr) == (0, "")
    shape = json.loads(done.stdout)
    folder = ROOT / "docs/reference/json"
    contents = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
    resources = [(name, Resource.from_contents(content)) for name, content in contents.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    jsonschema.Draft202012Validator(contents["plan.json"], registry=registry).validate(shape)
    return shape


def assert_priced(shape: Any) -> None:
    totals = shape["totals"]
    expected, worst = Decimal(totals["estimated_cost_usd"]), Decimal(totals["worst_cost_usd"])
    assert 0 < expected < worst < Decimal("0.5")
    assert sum(Decimal(job["estimated_cost_usd"]) for job in shape["jobs"]) == expected
    assert sum(Decimal(job["worst_cost_usd"]) for job in shape["jobs"]) == worst


def assert_unpriced(shape: Any) -> None:
    assert shape["totals"]["estimated_cost_usd"] is None
    assert {job["estimated_cost_usd"] for job in shape["jobs"]} == {None}


def test_a_batch_has_a_price_when_a_market_was_seen(redis_url: str, tmp_path: Path) -> None:
    publish(redis_url)

    assert_priced(shape_of(plan(tmp_path, "--json", REDIS_URL=redis_url)))
    assert_priced(shape_of(plan(tmp_path, "--json", "--redis-url", redis_url)))


def test_the_table_shows_expected_and_worst_and_on_what_they_rest(redis_url: str, tmp_path: Path) -> None:
    publish(redis_url)

    lines = plan(tmp_path, REDIS_URL=redis_url).stdout.splitlines()

    assert "cost" in lines[0].split()
    assert "worst" in lines[0].split()
    assert "cost unknown" not in lines[-1]
    assert "at worst $" in lines[-1]
    assert "(RTX 4090 at rehearsal, as seen at 20" in lines[-1]  # it has no fee, and little is to be said


def test_the_plan_names_the_limit_that_forbids_renting_and_the_cap_that_ends_the_batch(
    redis_url: str, tmp_path: Path
) -> None:
    publish(redis_url)

    shape = shape_of(plan(tmp_path, "--json", REDIS_URL=redis_url, MAX_DPH="0.01"))
    assert_unpriced(shape)
    assert shape["totals"]["forbidden_because"][0].startswith("MAX_DPH is $0.0100 an hour")
    text = plan(tmp_path, REDIS_URL=redis_url, MAX_DPH="0.01").stdout
    assert "no machine may be rented for it: MAX_DPH is $0.0100" in text
    assert "no market seen yet" not in text

    shape = shape_of(plan(tmp_path, "--json", REDIS_URL=redis_url, SPEND_CAP_BATCH="0.04"))
    assert Decimal(shape["totals"]["worst_cost_usd"]) == Decimal("0.04")
    assert "at worst it is not finished within SPEND_CAP_BATCH" in shape["totals"]["not_finished_because"]


@pytest.mark.parametrize("published", [None, 2 * 3600.0])
def test_no_market_and_a_stale_one_leave_the_cost_unknown(
    redis_url: str, tmp_path: Path, published: float | None
) -> None:
    if published is not None:
        publish(redis_url, age_s=published)

    assert_unpriced(shape_of(plan(tmp_path, "--json", REDIS_URL=redis_url)))
    shown = plan(tmp_path, REDIS_URL=redis_url, PROVIDER="vast").stdout
    assert "of audio, cost unknown (no market seen yet)" in shown
    assert "cost" not in shown.splitlines()[0].split()


def test_where_nothing_is_rented_nothing_is_said_of_money(redis_url: str, tmp_path: Path) -> None:
    assert "cost" not in plan(tmp_path, REDIS_URL=redis_url).stdout


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "rediss://127.0.0.1:1/0", "unix:///nowhere/s"])
def test_a_server_that_is_away_hinders_no_plan(tmp_path: Path, url: str) -> None:
    assert_unpriced(shape_of(plan(tmp_path, "--json", REDIS_URL=url)))


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path / "data")
    yield server
    server.stop()


def test_the_embedded_server_is_asked_when_it_runs_and_never_started(
    embedded: EmbeddedServer, tmp_path: Path
) -> None:
    data = {"JOBS_DATA_DIR": str(tmp_path / "data")}
    assert_unpriced(shape_of(plan(tmp_path, "--json", **data)))
    assert not (tmp_path / "data").exists()

    publish(embedded.ensure())
    assert_priced(shape_of(plan(tmp_path, "--json", **data)))

    embedded.stop()
    assert_unpriced(shape_of(plan(tmp_path, "--json", **data)))
    assert not embedded.running()


def test_a_password_and_a_database_are_used(own_server: Server) -> None:
    publish(own_server.url)
    with redis.Redis(unix_socket_path=str(own_server.socket_path), protocol=2) as client:
        client.execute_command("MOVE", "pab:jobs:market", 3)
        client.config_set("requirepass", "s3 cret/é")
    path = own_server.url.removeprefix("unix://")

    assert MarketQuestion(f"unix://:s3%20cret%2F%C3%A9@{path}?db=3", "pab:jobs").answer(5)
    assert MarketQuestion(f"unix://{path}?db=3&password=s3%20cret%2F%C3%A9", "pab:jobs").answer(5)
    assert MarketQuestion(f"unix://{path}?db=3", "pab:jobs").answer(5) is None
    assert MarketQuestion(f"unix://:s3%20cret%2F%C3%A9@{path}", "pab:jobs").answer(5) is None


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        question = MarketQuestion(f"redis://127.0.0.1:{mute.getsockname()[1]}/0", "pab:jobs")
        began = time.monotonic()

        assert question.answer() is None

        assert time.monotonic() - began < 5.0  # 0.35 s where nothing else runs; an answer is waited for 10 s
        question.answer(5)  # its thread ends before its socket does


# --- reckoning -------------------------------------------------------------------------------------------

NOW = 1_790_000_000.0


def reckoned(*work: PricedWork, terms: Terms = TERMS, **different: Any) -> Cost | Forbidden | None:
    market = replace(Market("rehearsal", NOW - 60, CLASSES), **different)
    return cost_of(work, Market.from_text(json.dumps(market.to_json())), terms, now=NOW)


def cost(*work: PricedWork, **different: Any) -> Cost | None:
    found = reckoned(*work, **different)
    assert not isinstance(found, Forbidden)
    return found


def test_what_was_measured_counts_and_the_cheapest_work_is_expected() -> None:
    slow = replace(CLASSES[0], speeds={"hibari": 0.2})
    quick, slower = cost(PricedWork(6000, "hibari")), cost(PricedWork(6000, "hibari"), classes=(slow,))

    assert quick is not None
    assert slower is not None
    assert quick.gpu == "RTX 3060"
    assert slower.expected_micros > 5 * quick.expected_micros


def test_every_take_is_paid_for_and_shares_add_up() -> None:
    found = cost(PricedWork(100, "hibari"), PricedWork(0, None), PricedWork(300, "hibari"))

    assert found is not None
    assert sum(found.shares) == found.expected_micros
    assert sum(found.worst_shares) == found.worst_micros
    assert found.shares[1] == 0
    assert found.shares[2] == pytest.approx(3 * found.shares[0], abs=2)


def test_the_worst_case_is_never_under_the_expected_one() -> None:
    for seconds in (1.0, 100.0, 100_000.0):
        found = cost(PricedWork(seconds, "hibari"))
        assert found is not None
        assert found.worst_micros >= found.expected_micros


def test_nothing_to_do_has_no_price() -> None:
    assert reckoned() is None


def test_where_nothing_may_be_rented_the_limit_is_named() -> None:
    dear = replace(CLASSES[0], lowest_hourly_micros=9_000_000, median_hourly_micros=9_000_000)
    for terms, classes, words in (
        (TERMS, (), "no machine that fits"),
        (TERMS, (dear,), "MAX_DPH is $1.0000 an hour; the cheapest machine that fits costs $9.0000"),
        (replace(TERMS, max_machines=0), CLASSES, "MAX_MACHINES is 0"),
        (
            replace(TERMS, spend_cap_batch=Decimal("0.001")),
            CLASSES,
            "SPEND_CAP_BATCH is $0.0010; at least $0.0",
        ),
        (
            replace(TERMS, spend_cap_machine=Decimal("0.001")),
            CLASSES,
            "SPEND_CAP_MACHINE is $0.0010; at least $0.0",
        ),
    ):
        found = reckoned(PricedWork(10, "hibari"), terms=terms, classes=classes)
        assert isinstance(found, Forbidden)
        assert words in found.reasons[0]


@pytest.mark.parametrize("cap", ["batch", "day", "month"])
def test_the_plan_says_within_which_cap_it_is_not_finished(cap: str) -> None:
    tight: dict[str, Any] = {f"spend_cap_{cap}": Decimal("0.5")}
    found = reckoned(*[PricedWork(50_000, "hibari")] * 40, terms=replace(TERMS, **tight))
    assert isinstance(found, Cost)
    assert found.expected_micros <= found.worst_micros
    assert (found.worst_micros <= 500_000) is (cap == "batch")  # the others only delay
    assert f"it is not finished within SPEND_CAP_{cap.upper()}: about $" in found.stopped
    assert cost(PricedWork(600, "hibari")) == replace(cost(PricedWork(600, "hibari")) or found, stopped="")


def test_cheap_offers_have_a_price_though_the_median_is_too_dear() -> None:
    spread = replace(CLASSES[0], median_hourly_micros=9_000_000)
    found = cost(PricedWork(600, "hibari"), classes=(spread,))
    assert found is not None
    assert found.worst_micros >= found.expected_micros


@pytest.mark.parametrize(
    "nonsense",
    [
        {"lowest_hourly_micros": -1},
        {"median_hourly_micros": 0},
        {"fee_micros": -5},
        {"fee_micros": 10**330},
        {"lowest_hourly_micros": 10**400, "median_hourly_micros": 10**400},
        {"speeds": {"hibari": 1e-308}},
        {"speeds": {"hibari": 1e308}},
        {"cold_start_s": 1e308},
        {"perf": -1.0},
        {"perf": float("inf")},
        {"speeds": {"hibari": -3.0}},
        {"cold_start_s": -1.0},
    ],
)
def test_a_market_that_cannot_be_is_no_market(nonsense: dict[str, Any]) -> None:
    assert reckoned(PricedWork(10, "hibari"), classes=(replace(CLASSES[0], **nonsense),)) is None


@pytest.mark.parametrize("price", [1, 10**12])
@pytest.mark.parametrize("speed", [1e-6, 1e6])
def test_the_oddest_market_that_there_could_be_is_reckoned_with(price: int, speed: float) -> None:
    odd = replace(
        CLASSES[0],
        lowest_hourly_micros=price,
        median_hourly_micros=price,
        fee_micros=price,
        perf=speed,
        speeds={"hibari": speed},
        cold_start_s=1e12,
    )
    assert reckoned(PricedWork(600, "hibari"), classes=(odd,)) is not None


def test_a_market_of_the_future_is_no_market() -> None:
    assert reckoned(PricedWork(10, "hibari"), seen_at=NOW + 30) is not None  # clocks differ a little
    assert reckoned(PricedWork(10, "hibari"), seen_at=NOW + 600) is None


@pytest.mark.parametrize(
    "stored",
    ["", "no json", "[]", "7", '{"version":2}', '{"version":1}', '{"version":1,"classes":[{}]}'],
)
def test_what_cannot_be_read_is_no_price(stored: str) -> None:
    assert Market.from_text(stored) is None
    assert cost_of([PricedWork(10, "hibari")], None, TERMS, now=NOW) is None


def test_the_market_that_the_loop_publishes_prices_a_batch(stage: Stage, redis_own: redis.Redis) -> None:
    stage.watcher("ann")
    stage.live(60.0)

    stored = str(redis_own.get("pab:jobs:market"))

    found = cost_of([PricedWork(600, "hibari")], Market.from_text(stored), TERMS, now=stage.now())
    assert isinstance(found, Cost)
    assert found.provider == "simulated"
    assert 0 < found.expected_micros < 500_000


@pytest.fixture
def redis_own(own_server: Server) -> Iterator[redis.Redis]:
    """A plain client on the stage's server."""
    with redis.Redis(
        unix_socket_path=str(own_server.socket_path), protocol=2, decode_responses=True
    ) as client:
        yield client
