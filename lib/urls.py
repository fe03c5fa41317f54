"""A URL that may hold a password, as people may see it: nothing of the password, however it was written.

A password with an unescaped `/`, `?`, `#` or `@` in it ends the part of the URL it stands in before its
time, so that its rest passes for a host, a path or a query. So a URL is shown only where each part is plainly
what it seems to be, and everything before the host is left out always.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

HIDDEN_PART: Final = "***"
#: What mends a URL with such a password; follows "is not usable: " and the like.
ENCODE: Final = (
    "percent-encode what is special in its user and password: there %23 stands for #, %2F for /, %3A for :, "
    "%3F for ?, %40 for @, %5B for [, %5D for ], %20 for a blank and %25 for %"
)

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}")
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]*\]|[\w.-]*)(?::[0-9]{0,5})?")
_PATH: Final = re.compile(r"[^\s?#@:=&;]*")
#: Query words that say where and how to connect, and what their values look like; others may be a key.
_SHOWN: Final = {
    "db": re.compile(r"[0-9]{1,9}"),
    "endpoint": re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/?"),
    "protocol": re.compile(r"[0-9]"),
    "region": re.compile(r"[a-z]{2,8}(?:-[a-z]{2,12}){0,3}(?:-[0-9]{1,2})?"),
    "sslmode": re.compile(r"[a-z-]{1,12}"),
}
_KEY: Final = re.compile(r"(?i)pass|secret|token|key|sig")
_NAMED: Final = (
    "client_name",
    "host",
    "options",
    "password",
    "port",
    "sentinel_password",
    "user",
    "username",
)


class ShownUrl(NamedTuple):
    """The parts of a URL that may be shown. `login` says whether something stands before the host."""

    scheme: str
    login: bool
    hosts: str
    path: str
    query: str | None


def seen(url: str) -> ShownUrl | None:
    """The parts of `url`; None where one of them may be a piece of a password."""
    scheme, separator, rest = url.partition("://")
    authority, tail = _cut(rest)
    _, at, hosts = authority.rpartition("@")
    path, mark, query = tail.partition("?")
    plain = (
        bool(separator and _SCHEME.fullmatch(scheme) and _PATH.fullmatch(path))
        and "#" not in rest
        and "@" not in tail
        and all(_HOST.fullmatch(host) for host in hosts.split(","))
    )
    return ShownUrl(scheme, bool(at), hosts, path, query if mark else None) if plain else None


def is_torn(url: str) -> bool:
    """Whether user or password hold an unescaped character that ends them before their `@`."""
    authority, tail = _cut(url.partition("://")[2])
    before, at, _ = tail.partition("@")
    # Without a host's part, an @ may belong to a path; behind a colon it hardly does.
    return bool(at) and (bool(authority) or ":" in before)


def shown(url: str) -> str:
    """A URL fit to be printed: what stands before the host, and query values, read `***`."""
    parts = seen(url)
    if parts is None:
        scheme, separator, _ = url.partition("://")
        return f"{scheme}://{HIDDEN_PART}" if separator and _SCHEME.fullmatch(scheme) else HIDDEN_PART
    login = f"{HIDDEN_PART}@" if parts.login else ""
    query = "" if parts.query is None else "?" + "&".join(map(_shown_pair, parts.query.split("&")))
    return f"{parts.scheme}://{login}{parts.hosts}{parts.path}{query}"


def login_of(text: str) -> str | None:
    """What stands before the last @ of a text that looks like a URL or like USER:PASSWORD@HOST; else None.

    Where such a text was given for something else, nobody has taken it apart, and a sentence may repeat it.
    """
    _, separator, rest = text.partition("://")
    if not separator:
        rest = text.partition("=")[2] if text.startswith("-") else text
    login = rest.rpartition("@")[0]
    return login if login and (separator or ":" in login) else None


def secrets_in(url: str) -> set[str]:
    """What must not be told of a URL, as it is written: its password, and keys in its query."""
    authority, tail = _cut(url.partition("://")[2])
    password = authority.rpartition("@")[0].partition(":")[2]
    pairs = (pair.partition("=") for pair in tail.partition("?")[2].split("&"))
    keys = {value for name, _, value in pairs if _KEY.search(name)}
    return {text for text in (password, *keys) if text}


def _cut(rest: str) -> tuple[str, str]:
    """The host's part and what follows it."""
    end = next((at for at, char in enumerate(rest) if char in "/?#"), len(rest))
    return rest[:end], rest[end:]


def _shown_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    looks = _SHOWN.get(name.lower())
    if looks is not None:
        return f"{name}{equals}{value if looks.fullmatch(value) else HIDDEN_PART}"
    return f"{name}{equals}{HIDDEN_PART}" if equals and name.lower() in _NAMED else HIDDEN_PART
