"""P30: a schema fuzzer finds no error of ours and no answer that the OpenAPI does not have."""

from __future__ import annotations

import itertools
import os
import time
import warnings
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from job_console.app import build_api
from job_console.route_services import ConsoleLimits
from lib.jobqueue import QueueOptions, connect
from lib.picture_tables import WantedPicture, init_tables, open_images
from lib.picture_tables.orders import ask_for
from tests.doubles.console import BEARER, ConsoleDesk
from tests.integration.servers import Server
from tests.postgres_servers import Postgres

schemathesis = pytest.importorskip("schemathesis", reason="the schema fuzzer schemathesis is not installed")

ANN = "aaaaaaaa-0000-4000-8000-000000000001"
#: Examples for each route, in a round of all.
EXAMPLES = 5
#: Seconds of this process's CPU, fuzzer and console together, in which rounds begin: none means one round.
#: The n-th round is always the same.
_SOAK = os.environ.get("JOB_RUNNER_SOAK") == "1"
_ROUNDS_BEGIN_S = 300.0 if _SOAK else 35.0 if os.environ.get("CI") == "1" else 0.0
_LIMITS = ConsoleLimits(reads=1e6, changes=1e6, wrong_tokens=1e6)
#: Whether a speaker exists is no matter of the schema: such a file is right by it and refused all the same.
#: Nor is whether a page ended at a place: that depends on what was listed.
_FILES_OR_ALL = ("queue/jobs", "queue/cancel", "scripts", "scripts/plan", "scripts/draft")
_KNOWS_MORE = tuple(f"/api/v1/{name}" for name in _FILES_OR_ALL)


@pytest.fixture(scope="module")
def url(shared_server: Server, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console over a real queue, a real ledger and real tables of pictures with something of everything."""
    postgres.execute("CREATE DATABASE fuzzed_pictures")
    pictures = postgres.url(database="fuzzed_pictures", user="postgres")
    init_tables(pictures)
    tables = open_images(pictures)
    ask_for(tables, WantedPicture(owner=ANN, prompt="a fox", backend="mock", width=64, height=64))
    queue = connect(shared_server.url, QueueOptions(prefix="fuzzed"))
    desk = ConsoleDesk(tmp_path_factory.mktemp("console"), queue, limits=_LIMITS)
    desk.start("r1")
    desk.work(files={"script.txt": b"Hello."})
    desk.start("r2")
    desk.enqueue("a", "b", "c")
    desk.speak("a")
    desk.queue.cancel("topic:b")
    with desk.served(open_images=lambda: tables, image_owner=ANN) as url:
        yield url
    desk.close()
    tables.close()
    postgres.execute("DROP DATABASE fuzzed_pictures WITH (FORCE)")


def operations() -> list[tuple[str, str]]:
    """Each route but the stream, which has no end."""
    paths = build_api().openapi()["paths"]
    return [
        (method, path) for path, methods in paths.items() for method in methods if path != "/api/v1/events"
    ]


def fuzz(url: str, document: dict[str, Any], method: str, path: str, round_: int = 0) -> None:
    """Ask one route what its schema allows and what it does not."""
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    operation = schemathesis.openapi.from_dict(document)[path][method]
    without = [positive_data_acceptance] if path in _KNOWS_MORE else []

    @hypothesis.seed(round_)
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        case.call_and_validate(base_url=url, headers=BEARER, timeout=20, excluded_checks=without)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the fuzzer and what it stands on
        ask()


@pytest.mark.timeout(1800 if _SOAK else 300)
def test_nothing_is_found(url: str) -> None:
    document, found = build_api().openapi(), []
    until = time.process_time() + _ROUNDS_BEGIN_S
    for round_ in itertools.count():
        for method, path in operations():
            if round_ and time.process_time() >= until:
                break  # each route had its round
            try:
                fuzz(url, document, method, path, round_)
            except BaseExceptionGroup as failures:
                found.append(f"{method.upper()} {path}: {failures.exceptions[0]}")
        if found or time.process_time() >= until:
            break
    assert not found, "\n\n".join(found)


def test_an_answer_that_is_not_documented_is_noticed(url: str) -> None:
    document = build_api().openapi()
    del document["paths"]["/api/v1/runs/{run}"]["get"]["responses"]["404"]
    with pytest.raises(BaseExceptionGroup, match=r"(?s).*404"):
        fuzz(url, document, "get", "/api/v1/runs/{run}")
