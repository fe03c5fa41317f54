"""No secret that the settings know reaches a log line, however it is written there (W18)."""

from __future__ import annotations

import base64
import json
import logging
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from job_watcher.logs import log_to_stderr, redactor
from lib.cli import output
from lib.cli.failures import guarded
from lib.cli.log_lines import RedactingFilter
from lib.events import LogSink, transition_of
from lib.events.watchers import WatcherTrouble
from lib.redact import Redactor
from lib.settings import load_settings, table

HUSH = "hu/sh 'éQ%"
SECRETS = [info.name for info in table() if info.kind.secret]
URLS = {
    "REDIS_URL": "rediss://me:{}@host/0",
    "DATABASE_URL": "postgresql://me:{}@host/db",
    "STORAGE_URL": "s3://bucket/x?secret={}",
    "IMAGEN_WORKER_DATABASE_URL": "postgresql://me:{}@host/db",
    "JOB_CONSOLE_URL": "https://me:{}@host",
    "LLM_BASE_URL": "https://me:{}@host/v1",
    "REPLICATE_URL": "https://me:{}@host",
    "SUPABASE_URL": "https://me:{}@host",
    "VAST_URL": "https://me:{}@host",
}


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, list[logging.LogRecord]]]:
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler, logger = Keep(), logging.getLogger("tests.redaction")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, records
    logger.removeHandler(handler)


def test_every_setting_that_may_hold_a_secret_is_looked_at() -> None:
    assert {info.name for info in table() if info.kind.url} == set(URLS)
    assert len(SECRETS) >= 8


@pytest.mark.parametrize("name", [*SECRETS, *URLS])
def test_a_secret_shows_in_no_form(
    name: str, tmp_path: Path, log: tuple[logging.Logger, list[logging.LogRecord]]
) -> None:
    value = URLS[name].format(quote(HUSH, safe="")) if name in URLS else HUSH
    settings = load_settings({}, {"HOME": str(tmp_path), name: value}, tmp_path)
    logger, records = log
    logger.handlers[0].addFilter(RedactingFilter(Redactor(settings.secrets())))

    logger.warning("refused: %s and %r", HUSH, HUSH)
    logger.warning("at %s, %(x)s", quote(HUSH, safe=""))
    try:
        raise ValueError(f"no login with {HUSH}")
    except ValueError:
        logger.exception("it failed")
    LogSink(logger).emit(WatcherTrouble(reason=f"refused {HUSH}"))

    told = [
        part
        for record in records
        for part in (record.getMessage(), record.exc_text or "", str(transition_of(record)))
    ]
    assert len(records) == 4
    assert [part for part in told if "hu/sh" in part or "hu%2Fsh" in part] == []
    assert sys.exc_info() == (None, None, None)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://b/x?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=feed&a=1", "feed"),
        ("redis://me:unknownpass@host/0", "unknownpass"),
        ("Authorization: Bearer abcdefghijkl", "abcdefghijkl"),
        ("AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=feedbeef", "feedbeef"),
        ("{'X-Amz-Security-Token': b'FQoGZXIvYXdz', 'x': 1}", "FQoGZXIvYXdz"),
        ("https://ghp_token@github.com/x", "ghp_token"),
        ("redis://me:un@known/pass@host/0", "pass"),
        ("Authorization: Basic bWU6dW5rbm93bg==", "bWU6"),
        ("GET https://console.vast.ai/api/v0/x?api_key=deadbeef&owner=me", "deadbeef"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\nbnNz\n-----END OPENSSH PRIVATE KEY-----", "bnNz"),
    ],
)
def test_what_signs_or_logs_in_is_hidden_though_nobody_knew_it(text: str, left: str) -> None:
    assert left not in Redactor().hide(text)


@pytest.mark.parametrize("before", ["", "m", "me", "me:"])
def test_a_known_secret_is_hidden_in_what_is_encoded_around_it(before: str) -> None:
    login = base64.b64encode(f"{before}{HUSH}-and-more".encode()).decode()
    left = Redactor([f"{HUSH}-and-more"]).hide(f"sent {login} away")
    assert base64.b64encode(HUSH.encode()).decode()[:8] not in left
    assert len(left) < len("sent *** away") + 12


@pytest.mark.parametrize(
    "form", [quote_plus(HUSH), quote(HUSH).replace("%C3%A9", "%c3%a9"), json.dumps(HUSH).replace("/", "\\/")]
)
def test_other_spellings_of_a_secret_are_hidden_too(form: str) -> None:
    assert "sh" not in Redactor([HUSH]).hide(form)


def test_what_ends_a_thread_and_what_python_warns_of_pass_the_filter(
    capsys: pytest.CaptureFixture[str], logging_given_back: None
) -> None:
    redactor.more(["hush-of-threads"])
    log_to_stderr(verbose=True)

    def fail() -> None:
        raise ValueError("no login with hush-of-threads")

    thread = threading.Thread(target=fail, name="x")
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("hush-of-threads is weak", stacklevel=1)
    logging.getLogger("botocore.auth").debug("CanonicalRequest: hush")

    err = capsys.readouterr().err
    assert "error lib.cli.log_lines: the thread x ended: ValueError" in err
    assert "py.warnings" in err
    assert "hush" not in err


def test_an_error_line_and_the_kept_traceback_hide_what_the_settings_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        output.concealed.know(["hush-of-settings"])
        output.warn("no login with hush-of-settings")
        raise RuntimeError("hush-of-settings")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert guarded(fail, program="x", args=[]) == 70

    (kept,) = tmp_path.iterdir()
    assert "hush" not in capsys.readouterr().err + kept.read_text()
    assert "RuntimeError: ***" in kept.read_text()


def test_words_that_only_contain_a_short_secret_stay() -> None:
    assert Redactor(["key"]).hide("the monkey has a key") == "the monkey has a ***"
