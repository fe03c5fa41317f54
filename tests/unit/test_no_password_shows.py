"""Nothing of a password is told, whatever it holds and whatever is wrong with the URL around it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.cli.failures import describe
from lib.errors import JobRunnerError
from lib.redislink.address import place_of
from lib.redislink.address import read_address as read_redis
from lib.settings import load_settings
from lib.sql import read_address as read_sql
from lib.storage.open_storage import open_storage
from lib.urls import shown

#: Where passwords stand, and the setting of such a URL.
FORMS = {
    "redis://:{}@host/0": "REDIS_URL",
    "redis://user:{}@host:6379/0?db=1": "REDIS_URL",
    "redis://{}@host/0": "REDIS_URL",
    "redis://host:6379/0?db=0&password={}": "REDIS_URL",
    "rediss://user:{}@host:6380/0": "REDIS_URL",
    "unix://:{}@/run/s.sock?db=1": "REDIS_URL",
    "unix:///run/s.sock?password={}": "REDIS_URL",
    "redis+sentinel://user:{}@a:1,b/name/0": "REDIS_URL",
    "redis+sentinel://a:1,b/name?sentinel_password={}": "REDIS_URL",
    "postgresql://user:{}@host:5432/database?sslmode=require": "DATABASE_URL",
    "postgresql://user@host/database?password={}": "DATABASE_URL",
    "sqlite://user:{}@host/file.db": "DATABASE_URL",
    "file://user:{}@host/folder": "STORAGE_URL",
    "s3://key:{}@bucket/prefix?endpoint=https://s3.example": "STORAGE_URL",
    "s3://bucket/prefix?endpoint=https://s3.example&secret={}": "STORAGE_URL",
}
SIGNS = ":/?#[]@!$&'()*+,;=%"
#: Letters and digits of which no sentence, port or default of ours has three in a row.
LETTERS = "QXZJ89"

passwords = st.text(LETTERS, min_size=3, max_size=8) | st.text(
    LETTERS + SIGNS, min_size=3, max_size=16
).filter(lambda text: sum(char in LETTERS for char in text) >= 3)


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, str, str]:
    """A setting, a URL with a password and at most one mistake, and the password."""
    form, password = draw(st.sampled_from(sorted(FORMS))), draw(passwords)
    url = form.format(password)
    kind = draw(st.sampled_from(["whole", "insert", "delete", "replace"]))
    at = draw(st.integers(0, len(url) - 1))
    sign = draw(st.sampled_from(SIGNS))
    start = form.index("{")
    inside = start <= at < start + len(password)
    # Without the @ that ends it, a password is a host for everybody. Any other sign may be missing.
    if kind == "whole" or (kind != "insert" and (inside or at == url.rfind("@"))):
        return FORMS[form], url, password
    rest = url[at:] if kind == "insert" else url[at + 1 :]
    return FORMS[form], url[:at] + ("" if kind == "delete" else sign) + rest, password


@contextmanager
def sentences(told: list[str]) -> Iterator[None]:
    """Keep all that is told of a refusal: the line, the JSON and a traceback."""
    try:
        yield
    except JobRunnerError as error:
        told += [str(error), repr(error), str(describe(error, "job-runner").to_json())]
        told += [re.sub(r"line \d+", "line", part) for part in traceback.format_exception(error)]


def all_told(setting: str, url: str, home: Path) -> list[str]:
    told = [shown(url), place_of(url)]
    with sentences(told):
        settings = load_settings({}, {"HOME": str(home), setting: url}, home)
        told += [repr(settings), str(settings.shown()), str(settings.sources)]
    readers: dict[str, Callable[[str], object]] = {
        "REDIS_URL": read_redis,
        "DATABASE_URL": read_sql,
        "STORAGE_URL": open_storage,
    }
    with sentences(told):
        # Without the place in memory, which may hold any digits.
        told.append(re.sub(r" at 0x[0-9a-f]+", "", repr(readers[setting](url))))
    return told


def pieces(password: str) -> set[str]:
    """Each three characters in a row, but for those that are mostly signs, as in unix://."""
    threes = {password[at : at + 3].lower() for at in range(len(password) - 2)}
    return {three for three in threes if sum(char in LETTERS.lower() for char in three) > 1}


@given(case=broken())
@example(case=("REDIS_URL", "redis://:QXZ@ZZXXJJ9#1@host/0", "QXZ@ZZXXJJ9#1"))
@example(case=("REDIS_URL", "redis://:QXZ@ZZXXJJ9/1@host/0", "QXZ@ZZXXJJ9/1"))
@example(case=("REDIS_URL", "redis://:QXZ@ZZXXJJ9?1@host/0", "QXZ@ZZXXJJ9?1"))
@example(case=("REDIS_URL", "redis://host/0?password=QXZ@ZZXXJJ9", "QXZ@ZZXXJJ9"))
@example(case=("DATABASE_URL", "postgresql://user:QXZ@ZZXXJJ9@host/database", "QXZ@ZZXXJJ9"))
@example(case=("DATABASE_URL", "postgresql://user@host/database?password=QXZ&ZZX=JJ9", "QXZ&ZZX=JJ9"))
def test_no_piece_of_a_password_is_told(case: tuple[str, str, str]) -> None:
    setting, url, password = case

    told = "\n".join(all_told(setting, url, Path("/nonexistent-home"))).lower()

    assert [piece for piece in pieces(password) if piece in told] == [], told


@pytest.mark.parametrize("sign", ["/", "?", "#"])
@pytest.mark.parametrize("form", [form for form in FORMS if ":{}@" in form])
def test_the_sentence_says_to_percent_encode(form: str, sign: str, tmp_path: Path) -> None:
    told: list[str] = []

    with sentences(told):
        load_settings({}, {"HOME": str(tmp_path), FORMS[form]: form.format(f"QXZ{sign}9")}, tmp_path)

    assert "percent-encode" in told[0]


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://me:hush@a,b:7/0?ssl_ca_certs=/c", "rediss://***@a,b:7/0?***"),
        ("unix:///run/s.sock?db=3&password=hush", "unix:///run/s.sock?db=3&password=***"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
        ("s3://bucket/p?endpoint=https://s3.example", "s3://bucket/p?endpoint=https://s3.example"),
        ("s3://bucket/p?endpoint=https://me:hush@s3.example", "s3://***"),
        ("redis://h/0?db=1password=hush", "redis://h/0?db=***"),
        ("hush", "***"),
    ],
)
def test_what_is_plain_is_shown(url: str, seen: str) -> None:
    assert shown(url) == seen
