"""Where a database is: the URL a person writes, taken apart once and never shown with its password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypedDict
from urllib.parse import parse_qsl, unquote, urlsplit

from lib.errors import BadConfiguration
from lib.urls import ENCODE, is_torn, seen

_POSTGRES: Final = ("postgresql", "postgresql+psycopg", "postgres")
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
#: What libpq takes; it repeats the name of anything else, which may be a piece of a password.
_PARAMETERS: Final = frozenset(
    [
        "application_name",
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "fallback_application_name",
        "gssencmode",
        "gsslib",
        "host",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "load_balance_hosts",
        "options",
        "passfile",
        "password",
        "port",
        "require_auth",
        "service",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcert",
        "sslcertmode",
        "sslcrl",
        "sslcrldir",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
        "user",
    ]
)
_EXAMPLE: Final = "write it like sqlite:////var/lib/job-runner/ledger.db or postgresql://user@host/database"


class DatabaseOptions(TypedDict, total=False):
    """What `open_database` takes beside the URL and may be set: see there."""

    schema: str | None
    origin: str
    pool_min: int
    pool_max: int
    statement_timeout_ms: int


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """One database. `place` is for people and logs, with the origin; `url` and `password` are for the driver.

    `file` is set for SQLite, `url` for Postgres, in the form `postgresql+psycopg://`.
    `schema` is the Postgres schema of our tables; None: the server's choice.
    """

    place: str
    file: Path | None = None
    url: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    schema: str | None = None


def read_address(url: str, *, schema: str | None = None, origin: str = "") -> DatabaseAddress:
    """Take a database URL apart: `sqlite:///relative`, `sqlite:////absolute`, `postgresql://...`.

    `origin` says in errors where the URL came from, such as "DATABASE_URL of the environment".

    Raises:
        BadConfiguration: it is none of these. The sentence does not repeat the URL.
    """
    try:
        found = _read(url, schema)
    except BadConfiguration as error:
        raise BadConfiguration(f"{origin}: {error.message}" if origin else error.message) from None
    return replace(found, place=f"{found.place} ({origin})") if origin else found


def _read(url: str, schema: str | None) -> DatabaseAddress:
    if schema is not None and not _SCHEMA.fullmatch(schema):
        raise BadConfiguration(
            f"the schema {schema!r} is not usable; use lower-case letters, digits and '_', at most 63"
        )
    if not url.strip():
        raise BadConfiguration(f"the database address is empty; {_EXAMPLE}")
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator:
        return _sqlite(rest)
    if scheme in _POSTGRES and separator:
        return _postgres(f"postgresql+psycopg://{rest}", schema)
    raise BadConfiguration(f"the database address is neither SQLite nor Postgres; {_EXAMPLE}")


def _sqlite(rest: str) -> DatabaseAddress:
    path = unquote(rest.removeprefix("/"))
    if is_torn(f"sqlite://{rest}"):
        raise BadConfiguration(f"the SQLite address cannot be read; {ENCODE}")
    if not rest.startswith("/") or not path or "?" in rest or path == ":memory:" or "\0" in path:
        raise BadConfiguration(f"the SQLite address names no file; {_EXAMPLE}")
    file = Path(path).absolute()
    return DatabaseAddress(place=str(file), file=file)


def _postgres(url: str, schema: str | None) -> DatabaseAddress:
    try:
        parts = urlsplit(url)
        port = parts.port
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        raise BadConfiguration(f"the Postgres address cannot be read; {ENCODE}; {_EXAMPLE}") from None
    # The driver takes only the last part behind an @ for a host if there is one @, and tells what it tries.
    if seen(url) is None or parts.netloc.count("@") > 1:
        raise BadConfiguration(f"the Postgres address cannot be read; {ENCODE}; {_EXAMPLE}")
    if not parameters.keys() <= _PARAMETERS:
        raise BadConfiguration(
            "behind the ? of the Postgres address stands something that is no parameter of a connection; "
            f"{ENCODE}; & and = in a value are written %26 and %3D"
        )
    if not parts.path.strip("/"):
        raise BadConfiguration(f"the Postgres address names no database; {_EXAMPLE}")
    host = parts.hostname or parameters.get("host") or "localhost"
    where = host if host.startswith("/") else f"{host}:{port or parameters.get('port') or 5432}"
    password = unquote(parts.password or "") or parameters.get("password", "")
    return DatabaseAddress(f"{where}{parts.path}", url=url, password=password, schema=schema)
