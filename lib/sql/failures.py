"""Turns a database's refusals into our errors: the place, never a password or a statement."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy import exc

from lib.errors import BadConfiguration, JobRunnerError, TryAgain, Unavailable
from lib.sql.address import DatabaseAddress

# Postgres: serialization failure, deadlock, lock not available.
_COLLISION_STATES: Final = frozenset({"40001", "40P01", "55P03"})
_COLLISION_NAMES: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
_BROKEN_FILE: Final[dict[str, str]] = {
    "SQLITE_FULL": "cannot be written: the disk is full; free some space",
    "SQLITE_READONLY": "is read-only; allow this user to write it and its folder",
    "SQLITE_PERM": "may not be opened by this user; correct its permissions",
    "SQLITE_CANTOPEN": "cannot be opened; see that its folder exists and that this user may write it",
    "SQLITE_NOTADB": "is not an SQLite database; correct the address, or restore the file from a copy",
    "SQLITE_CORRUPT": "is damaged; restore it from a copy",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error; check the disk",
}
_CANCELED: Final = "57014"
_STOOD_STILL: Final = "25P03"
_FULL: Final = "53300"
_REFUSED_STATES: Final[dict[str, str]] = {
    "28": "refuses this user or password; correct the address",
    "3D": "has no database of that name; create it, or correct the address",
    "42501": "does not permit this user to do that; grant it the right to create and write tables",
}
_REFUSED_WORDS: Final[dict[str, str]] = {
    "too many clients": _FULL,
    "remaining connection slots": _FULL,
    "too many connections": _FULL,
    "authentication failed": "28",
    "no password supplied": "28",
    "no pg_hba.conf entry": "28",
    "role ": "28",
    "does not exist": "3D",
}


def cause(error: Exception) -> BaseException:
    """The driver's own error, which SQLAlchemy wraps except while it opens a connection."""
    return error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error


def collides(error: Exception) -> bool:
    """Whether another transaction was in the way, so that the same one may work when it is repeated."""
    inner = cause(error)
    if isinstance(inner, sqlite3.Error):
        return _sqlite_name(inner).startswith(_COLLISION_NAMES)
    return getattr(inner, "sqlstate", None) in _COLLISION_STATES


def is_cut_off(error: Exception) -> bool:
    """Whether a connection that was open ended under a statement, as when its server was restarted."""
    return isinstance(error, exc.DBAPIError) and error.connection_invalidated


def sentence(
    error: Exception, address: DatabaseAddress, *, statement_ms: int | None = None
) -> JobRunnerError:
    """The error a person gets for `error`. `statement_ms`: how long a statement might take."""
    inner = cause(error)
    if collides(error):
        return TryAgain(
            f"the database {address.place} is busy: other programs kept it locked for too long; "
            "try again later"
        )
    if isinstance(inner, sqlite3.Error):
        return _of_sqlite(inner, address)
    return _of_postgres(inner, address, statement_ms, lost=isinstance(error, exc.OperationalError))


def unanswered(error: Exception, address: DatabaseAddress) -> JobRunnerError:
    """The error a person gets for a Postgres connection that could not be opened, or ended."""
    return _of_postgres(error, address, None, lost=True)


def _of_sqlite(error: sqlite3.Error, address: DatabaseAddress) -> JobRunnerError:
    name = _sqlite_name(error)
    for start, words in _BROKEN_FILE.items():
        if name.startswith(start):
            return BadConfiguration(f"the database {address.place} {words}")
    return Unavailable(f"the database {address.place} refuses: {error}")


def _of_postgres(
    error: BaseException, address: DatabaseAddress, statement_ms: int | None, *, lost: bool
) -> JobRunnerError:
    said = _first_line(error, address)
    state = str(getattr(error, "sqlstate", None) or "") or _state_said(said)
    if state in (_CANCELED, _STOOD_STILL, _FULL):
        return TryAgain(f"the Postgres server at {address.place} {_for_now(state, said, statement_ms)}")
    for start, words in _REFUSED_STATES.items():
        if state.startswith(start):
            return BadConfiguration(f"the Postgres server at {address.place} {words}")
    if lost:
        return Unavailable(f"the Postgres server at {address.place} does not answer ({said}); start it")
    return Unavailable(f"the Postgres server at {address.place} refuses: {said}")


def _for_now(state: str, said: str, statement_ms: int | None) -> str:
    """What it refuses for a passing reason, and what helps."""
    if state == _FULL:
        return "has no connection left; try again later, set DB_POOL_MAX lower, or its max_connections higher"
    if state == _STOOD_STILL:
        return "ended a transaction because this program stood still in it; nothing was written, try again"
    if "statement timeout" in said and statement_ms:
        return (
            f"stopped a statement after {statement_ms} ms; nothing was written; try again later, or set "
            "STATEMENT_TIMEOUT_MS higher"
        )
    return f"stopped a statement ({said}); nothing was written; try again later"


def _state_said(said: str) -> str:
    """The class of a refusal to connect, for which the driver gives words only."""
    if "FATAL" not in said:
        return ""
    return next((state for words, state in _REFUSED_WORDS.items() if words in said), "")


def _first_line(error: BaseException, address: DatabaseAddress) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text.replace(address.password, "***") if address.password else text


def _sqlite_name(error: sqlite3.Error) -> str:
    return str(getattr(error, "sqlite_errorname", None) or "")
