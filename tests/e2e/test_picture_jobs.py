"""Pictures in a job file, as a person plans and makes them without a server (I7, Q10)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.png import check_png
from tests.e2e.home import Home, check_shape

FILE = """\
defaults: {kind: image, width: 128, height: 64, backend: test-picture}
jobs:
- {output_name: tides/title, prompt: The Tides}
- {output_name: tides/pier, prompt: A pier., backend: flux-dev-replicate}
"""
PRICED = "flux-dev-replicate draws 1 picture in about 0.0s, for $0.0250."


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    (tmp_path / "own.toml").write_text('[test-picture]\nclass = "mock"\n')
    (tmp_path / "jobs.yaml").write_text(FILE)
    made = Home(tmp_path, IMAGEN_BACKENDS_FILE=str(tmp_path / "own.toml"))
    yield made
    made.close()


def test_a_plan_tells_time_price_and_what_nobody_here_could_draw(home: Home) -> None:
    told = home.run("plan", "jobs.yaml")
    shape = home.json("plan", "jobs.yaml")

    assert told.returncode == 0, told.stderr
    assert PRICED in told.stdout
    assert "needs a token that is not set; set REPLICATE_API_TOKEN" in told.stderr
    assert "test-picture" not in told.stderr
    check_shape("plan", shape)
    assert shape["totals"]["pictures_price_usd"] == "0.025000"


def test_machines_that_are_not_made_ready_for_a_backend_are_told_of_by_the_plan(home: Home) -> None:
    told = home.run("plan", "jobs.yaml", PROVIDER="vast")

    assert told.returncode == 0, told.stderr
    assert "not made ready for the picture backend flux-dev-replicate" in told.stderr


def test_run_draws_with_a_name_of_ones_own(home: Home) -> None:
    (home.folder / "jobs.yaml").write_text(FILE.rpartition("- ")[0])

    done = home.run("run", "jobs.yaml", "--out", "made")

    assert done.returncode == 0, done.stderr
    assert check_png((home.folder / "made/tides/title.png").read_bytes()) == (128, 64)
    assert "speaking" not in done.stderr
