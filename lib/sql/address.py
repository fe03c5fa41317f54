"""Where a database is: the URL a person writes, taken apart once and never shown with its password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from lib.errors import BadConfiguration

_POSTGRES: Final = ("postgresql", "postgresql+psycopg", "postgres")
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_EXAMPLE: Final = "write it like sqlite:////var/lib/job-runner/ledger.db or postgresql://user@host/database"


@dataclass(frozen=True, slots=True)
class Address:
    """One database. `place` is for people and logs; `url` and `password` are for the driver only.

    `file` is set for SQLite, `url` for Postgres, in the form `postgresql+psycopg://`.
    `schema` is the Postgres schema of our tables; None: the server's choice.
    """

    place: str
    file: Path | None = None
    url: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    schema: str | None = None


def read_address(url: str, *, schema: str | None = None) -> Address:
    """Take a database URL apart: `sqlite:///relative`, `sqlite:////absolute`, `postgresql://...`.

    Raises:
        BadConfiguration: it is none of these. The sentence does not repeat the URL.
    """
    if schema is not None and not _SCHEMA.fullmatch(schema):
        raise BadConfiguration(
            f"the schema {schema!r} is not usable; use lower-case letters, digits and '_', at most 63"
        )
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator:
        return _sqlite(rest)
    if scheme in _POSTGRES and separator:
        return _postgres(f"postgresql+psycopg://{rest}", schema)
    raise BadConfiguration(f"the database address is neither SQLite nor Postgres; {_EXAMPLE}")


def _sqlite(rest: str) -> Address:
    path = unquote(rest.removeprefix("/"))
    if not rest.startswith("/") or not path or "?" in rest or path == ":memory:" or "\0" in path:
        raise BadConfiguration(f"the SQLite address names no file; {_EXAMPLE}")
    file = Path(path).absolute()
    return Address(place=str(file), file=file)


def _postgres(url: str, schema: str | None) -> Address:
    try:
        parts = urlsplit(url)
        port = parts.port
        parameters = dict(parse_qsl(parts.query))
    except ValueError:
        raise BadConfiguration(f"the Postgres address cannot be read; {_EXAMPLE}") from None
    if not parts.path.strip("/"):
        raise BadConfiguration(f"the Postgres address names no database; {_EXAMPLE}")
    host = parts.hostname or parameters.get("host") or "localhost"
    where = host if host.startswith("/") else f"{host}:{port or parameters.get('port') or 5432}"
    password = unquote(parts.password or "") or parameters.get("password", "")
    return Address(f"{where}{parts.path}", url=url, password=password, schema=schema)
