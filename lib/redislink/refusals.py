"""Turns a failed call to the server into a sentence that says what mends it."""

from __future__ import annotations

from redis import exceptions as refused

from lib.redislink.errors import ServerUnavailable
from lib.redislink.scheme import Speaks

_UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "doesn't match")
_HEARD = {
    Speaks.REDIS: ("answers without TLS, and rediss:// asks for TLS", "write redis:// in REDIS_URL"),
    Speaks.TLS: ("wants TLS, and redis:// has none", "write rediss:// in REDIS_URL"),
    Speaks.HTTP: ("is no Redis server: it answers with HTTP", "correct host and port in REDIS_URL"),
}
_NO_DATABASE = ("DB index is out of range", "invalid DB index", "SELECT is not allowed")


def refusal(
    place: str, error: Exception, *, embedded: bool, origin: str = "", answers: Speaks | None = None
) -> ServerUnavailable:
    """The error for people: why the server at `place` cannot be used, with the advice that fits.

    `origin` says where its URL came from, such as "REDIS_URL of the environment"; `answers` what was heard
    there instead of Redis as the URL has it.
    """
    if embedded and isinstance(error, (refused.ConnectionError, refused.TimeoutError)):
        return _embedded_is_away(error)
    reason, fix = _HEARD[answers] if answers else _meaning(error)
    named = f" ({origin})" if origin else ""
    return ServerUnavailable(f"the Redis server at {place}{named} {reason}", fix)


def _meaning(error: Exception) -> tuple[str, str]:
    said = str(error)
    if isinstance(error, (refused.AuthenticationError, refused.AuthorizationError)):
        return _login(said)
    if isinstance(error, refused.NoPermissionError) or "ACL failure" in said:
        fix = "permit it with ACL SETUSER; docs/reference/redis-keys.md lists what the user needs"
        return f"does not permit this: {said}", fix
    if isinstance(error, refused.ReadOnlyError) or "read only replica" in said:
        return "is a replica, which takes no writes", "set REDIS_URL to its primary"
    if any(words in said for words in _NO_DATABASE):
        fix = "write a lower one in REDIS_URL (0 is always there), or raise its setting databases"
        return f"has no database of that number ({said})", fix
    if any(words in said for words in _UNTRUSTED):
        fix = (
            "name the file of its authority in REDIS_URL (?ssl_ca_certs=FILE), and write the host as its "
            "certificate does"
        )
        return f"shows a certificate that is not trusted here ({said})", fix
    if "unknown command" in said and "SENTINEL" in said.upper():
        return "is no Sentinel", "write redis:// in REDIS_URL for a server itself, or name its Sentinels"
    if "unknown command" in said and "EVAL" in said.upper():
        fix = "if it is a Sentinel, write redis+sentinel://HOST:PORT/SERVICE in REDIS_URL"
        return "runs no scripts, so it is no server for a queue", fix
    if isinstance(error, (refused.ConnectionError, refused.TimeoutError)):
        return f"does not answer ({said})", "start it, or correct REDIS_URL"
    return f"refuses: {said}", "look at its log and its settings"


def _login(said: str) -> tuple[str, str]:
    """Why a login failed. `said` is the server's reply, which never repeats a password."""
    if "without any password" in said:
        return "has no password, and REDIS_URL gives one", "leave it away, or set requirepass there"
    if "Authentication required" in said or "NOAUTH" in said:
        fix = "write it before the host, a password alone with a colon in front: redis://:PASSWORD@HOST:PORT"
        return "refuses this user or password: it wants a password, and REDIS_URL gives none", fix
    return (
        "refuses this user or password",
        "check REDIS_URL: user and password stand before the host, as USER:PASSWORD@ or :PASSWORD@",
    )


def _embedded_is_away(error: Exception) -> ServerUnavailable:
    if isinstance(error, (refused.BusyLoadingError, refused.TimeoutError)):
        return ServerUnavailable(
            f"the embedded server does not answer ({error})",
            "run the same command again, or end the server before with: job-runner down",
        )
    return ServerUnavailable("the embedded server stopped", "run the same command again, it starts it")
