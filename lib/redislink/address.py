"""From a URL to connections: one server, Sentinel's primary, or the cluster's node that has our slot."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final, Protocol
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit

import redis
from redis import exceptions as refused
from redis.backoff import NoBackoff
from redis.retry import Retry

from lib.errors import BadConfiguration
from lib.urls import ENCODE, is_torn, seen

Place = tuple[str, int]

_CONNECTED_WITHIN_S: Final = 5.0
_ASKED_WITHIN_S: Final = 1.0  # of each Sentinel, and each node of a cluster: others may answer sooner
_SENTINEL_PORT: Final = 26379
_SENTINEL: Final = "+sentinel"
_CLUSTER: Final = "+cluster"
_SENTINEL_WORDS: Final = ("sentinel_username", "sentinel_password")
#: What may stand behind the ?; docs/how-to/own-redis.md lists them. Others would reach the client unchecked.
_WORDS: Final = ("db", "username", "password", "client_name")
_TCP_WORDS: Final = ("socket_connect_timeout", "socket_keepalive")
_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_WORDS: Final = (*_FILES, "ssl_ca_path", "ssl_password", "ssl_cert_reqs", "ssl_check_hostname")
_CERT_REQS: Final = ("none", "optional", "required")


class NoPrimary(refused.ConnectionError):
    """No server takes writes at this moment: a fail-over is under way, or it cannot be seen."""


class _Unusable(ValueError):
    """Why a URL cannot be used, in words that hold nothing of it."""


class ServerAddress(Protocol):
    """Where the queue is. Where that changes, the next connection is made to the new place.

    `promotes` says whether another server may take over; one that hangs is then given up sooner.
    """

    promotes: bool

    def open(self, timeout_s: float) -> Any:
        """A new connection whose reads end after `timeout_s`.

        Raises:
            redis.RedisError: nothing answers there.
        """
        ...

    def learn(self, error: refused.RedisError) -> bool:
        """Take from a refusal where the queue is now; whether it said so."""
        ...


class OneServer:
    """A single server, by TCP, TLS or a Unix socket."""

    promotes = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings

    def open(self, timeout_s: float) -> Any:
        """A connection to it."""
        return _connection(self._settings, timeout_s)

    def learn(self, error: refused.RedisError) -> bool:
        """Never: there is one place."""
        return False

    def as_cluster(self, nodes: Iterable[Place]) -> InCluster:
        """The same server as one node of a cluster."""
        own = (str(self._settings.get("host", "localhost")), int(self._settings.get("port", 6379)))
        return InCluster(self._settings, [own, *nodes])


class ThroughSentinel:
    """The primary of a service, asked of its Sentinels for every new connection."""

    promotes = True

    def __init__(
        self, settings: dict[str, Any], sentinels: list[Place], service: str, login: dict[str, str]
    ) -> None:
        self._settings = settings
        self._sentinels = sentinels
        self._service = service
        keep = {name: value for name, value in settings.items() if name not in ("username", "password", "db")}
        self._asking = {**keep, **login}

    def open(self, timeout_s: float) -> Any:
        """A connection to the server that is the primary, by its own word too."""
        connection = _connection({**self._settings, **_at(self._primary())}, timeout_s)
        role = _asked(connection, "ROLE")[0]
        if role != "master":
            connection.disconnect()
            raise NoPrimary(f"Sentinel names a {role} as the primary of {self._service!r}")
        return connection

    def _primary(self) -> Place:
        reason = "none was asked"
        for place in list(self._sentinels):
            try:
                connection = _connection({**self._asking, **_at(place)}, _ASKED_WITHIN_S)
                try:
                    found = _asked(connection, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)
                finally:
                    connection.disconnect()
            except (refused.ConnectionError, refused.TimeoutError) as error:
                reason = str(error)
                continue
            if found:
                self._sentinels.remove(place)
                self._sentinels.insert(0, place)  # it answered, so it is asked first
                return str(found[0]), int(found[1])
            reason = f"they know no service {self._service!r}"
        raise NoPrimary(f"no Sentinel names a primary: {reason}")

    def learn(self, error: refused.RedisError) -> bool:
        """Never: the Sentinels are asked each time."""
        return False


class InCluster:
    """The node that has the queue's slot. Its keys share one hash tag, so there is one; nodes say which."""

    promotes = True

    def __init__(self, settings: dict[str, Any], nodes: Iterable[Place]) -> None:
        self._settings = settings
        self._nodes = list(dict.fromkeys(nodes))
        self._home: Place | None = None

    def open(self, timeout_s: float) -> Any:
        """A connection to the node that was named last, else to any that answers."""
        home = self._home
        reason: Exception | None = None
        for place in [home, *self._nodes] if home else list(self._nodes):
            try:
                return _connection({**self._settings, **_at(place)}, timeout_s)
            except (refused.ConnectionError, refused.TimeoutError) as error:
                reason = error
                if place == self._home:
                    self._home = None
        raise NoPrimary(f"no node of the cluster answers: {reason}")

    def learn(self, error: refused.RedisError) -> bool:
        """The node that a MOVED names."""
        if not isinstance(error, refused.MovedError):
            return False
        host = error.host if error.host not in ("", "?") else self._nodes[0][0]
        self._home = (host, error.port)
        if self._home not in self._nodes:
            self._nodes.append(self._home)
        return True


def read_address(url: str, *, origin: str = "") -> ServerAddress:
    """The address that a URL means (docs/how-to/own-redis.md has the forms); `origin` stands in errors.

    Raises:
        BadConfiguration: it cannot be read.
    """
    reason = "it cannot be read"  # what the parser says may hold a part of the password
    try:
        if not is_torn(url):
            return _read(url)
        reason = ENCODE
    except _Unusable as error:
        reason = str(error)
    except (ValueError, TypeError):
        pass
    raise BadConfiguration(
        f"{origin or 'REDIS_URL'} for {place_of(url)} is not usable: {reason}; write it like redis://127.0.0.1:6379/0"
    )


def _read(url: str) -> ServerAddress:
    parts = urlsplit(url)
    scheme = parts.scheme
    _check(parts)
    if scheme == "unix" or (not scheme.endswith((_SENTINEL, _CLUSTER)) and "," not in parts.netloc):
        return OneServer(_settings_of(url))
    plain = scheme.removesuffix(_SENTINEL).removesuffix(_CLUSTER)
    login, _, hosts = parts.netloc.rpartition("@")
    through_sentinel = scheme.endswith(_SENTINEL)
    places = [_place(host, _SENTINEL_PORT if through_sentinel else 6379) for host in hosts.split(",")]
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    asking = {name.removeprefix("sentinel_"): query.pop(name) for name in _SENTINEL_WORDS if name in query}
    service, _, database = parts.path.strip("/").partition("/")
    path = database if through_sentinel else parts.path.strip("/")
    settings = _settings_of(f"{plain}://{login}{'@' if login else ''}localhost/{path}?{urlencode(query)}")
    if through_sentinel:
        return ThroughSentinel(settings, places, service or "mymaster", asking)
    if settings.get("db"):
        raise _Unusable("a cluster has no numbered databases")
    return InCluster(settings, places)


def _check(parts: SplitResult) -> None:
    """See that nothing stands in the URL which the client library would pass over, or break at."""
    if parts.fragment or "#" in parts.geturl():
        raise _Unusable(f"a # in it is written %23; {ENCODE}")
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    known = (*_WORDS, *(_TCP_WORDS if parts.scheme != "unix" else ()))
    known += _TLS_WORDS if parts.scheme.startswith("rediss") else ()
    known += _SENTINEL_WORDS if parts.scheme.endswith(_SENTINEL) else ()
    if not query.keys() <= set(known):
        tls = "" if parts.scheme.startswith("rediss") else "; those of TLS (ssl_...) need rediss://"
        raise _Unusable(f"behind the ? may stand {', '.join(known)} and nothing else{tls}")
    path = parts.path.strip("/")
    database = path.partition("/")[2] if parts.scheme.endswith(_SENTINEL) else path
    if parts.scheme == "unix":
        database = ""
    for number in (database, query.get("db", "")):
        if number and not (number.isascii() and number.isdecimal()):
            raise _Unusable("the database is a number")
    for name in _FILES:
        if name in query and not os.access(query[name], os.R_OK):
            raise _Unusable(f"{name} names a file that is not there, or cannot be read")
    if query.get("ssl_cert_reqs", "none") not in _CERT_REQS:
        raise _Unusable(f"ssl_cert_reqs is one of {', '.join(_CERT_REQS)}")
    _check_ports(parts)


def _check_ports(parts: SplitResult) -> None:
    for host in parts.netloc.rpartition("@")[2].split(","):
        try:
            _ = urlsplit(f"//{host}").port
        except ValueError:
            raise _Unusable("a port is a number from 0 to 65535") from None


def _settings_of(url: str) -> dict[str, Any]:
    given = {"protocol": 2, "decode_responses": True, "retry": Retry(NoBackoff(), 0)}
    given["driver_info"] = None  # CLIENT SETINFO is a right that Redis 7.0 cannot give, and two more commands
    if not url.startswith("unix:"):
        given["socket_connect_timeout"] = _CONNECTED_WITHIN_S
    pool = redis.ConnectionPool.from_url(url, **given)
    return {**pool.connection_kwargs, "connection_class": pool.connection_class}


def _place(text: str, port: int) -> Place:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise _Unusable("a host is missing")
    return parts.hostname, parts.port or port


def _at(place: Place) -> dict[str, Any]:
    return {"host": place[0], "port": place[1]}


def _connection(settings: dict[str, Any], timeout_s: float) -> Any:
    kind = settings["connection_class"]
    words = {name: value for name, value in settings.items() if name != "connection_class"}
    if "socket_connect_timeout" in words:
        words["socket_connect_timeout"] = min(words["socket_connect_timeout"], timeout_s)
    connection = kind(**words, socket_timeout=timeout_s)
    connection.connect()
    return connection


def _asked(connection: Any, *words: str) -> Any:
    connection.send_command(*words, check_health=False)
    return connection.read_response()


def place_of(url: str) -> str:
    """The address for people: hosts and ports, or the socket's path; never a password, nor a piece of one."""
    parts = seen(url)
    if parts is None:
        return "the given address"
    if parts.scheme == "unix":
        return parts.path
    port = _SENTINEL_PORT if parts.scheme.endswith(_SENTINEL) else 6379
    try:
        places = [_place(host, port) for host in (parts.hosts or "localhost").split(",")]
    except ValueError:
        return "the given address"
    return ", ".join(f"{host}:{number}" for host, number in places)
