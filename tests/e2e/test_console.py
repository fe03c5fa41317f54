"""The commands of `job-console`, as they are typed; each `--json` has its documented shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.home import Home, check_shape


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path, JOBS_DATA_DIR=str(tmp_path / "data"))
    yield home
    home.close()


def test_openapi_is_what_the_console_serves(home: Home) -> None:
    """P30."""
    done = home.run("openapi", "--json", program="job-console")
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    check_shape("job-console-openapi", value)
    assert "/api/v1/runs/{run}/gates/{stage}/approve" in value["paths"]
    assert "/api/v1/queue/jobs" in home.run("openapi", program="job-console").stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--listen", "0.0.0.0:0"), 2, "in the clear"),
        (("--listen", "nowhere"), 2, "no place"),
        (("--certificate", "a.pem"), 2, "go together"),
        (("--certificate", "a.pem", "--key", "b.pem"), 78, "TLS cannot be spoken"),
    ],
)
def test_serve_refuses_what_would_let_others_in(
    home: Home, words: tuple[str, ...], status: int, said: str
) -> None:
    """P31."""
    done = home.run("serve", *words, program="job-console", REDIS_URL="redis://127.0.0.1:1/0")
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


def test_serve_takes_no_token_that_can_be_guessed(home: Home) -> None:
    """P31."""
    done = home.run("serve", program="job-console", JOB_CONSOLE_TOKEN="abc-xyz-12")
    assert (done.returncode, "too short" in done.stderr) == (78, True)
    assert "abc-xyz-12" not in done.stderr


def test_serve_takes_no_other_server_than_the_one_it_was_given(home: Home) -> None:
    """P30."""
    done = home.run(
        "serve", "--listen", "127.0.0.1:0", program="job-console", REDIS_URL="redis://127.0.0.1:1/0"
    )
    assert done.returncode == 69, done.stderr
