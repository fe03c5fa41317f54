"""Vast's rate limits: so many seconds between two calls of one endpoint by one key."""

from __future__ import annotations

from typing import Any, Final

#: Seconds between two calls, by route; a search is counted by the minute.
THRESHOLDS: Final = {
    "show": 2.0,
    "list": 1.0,
    "create": 4.5,
    "destroy": 3.0,
    "manage": 1.0,
    "bid": 5.5,
    "command": 1.5,
    "request_logs": 1.5,
    "reboot": 1.0,
    "recycle": 1.0,
    "ssh_keys": 1.0,
    "create_ssh_key": 1.0,
    "attach_ssh": 1.0,
    "detach_ssh": 2.0,
    "charges": 1.0,
    "invoices": 3.0,
    "search": 6.0,
}
_SEARCHES_A_MINUTE: Final = 10
_MINUTE_S: Final = 60.0
_STYLES: Final = 4  # both forms of the text, each with and without Retry-After


class RequestThrottle:
    """Counts calls and says which come too soon. Off until `on`.

    Each refusal has another of Vast's forms. `penalty_s` is added to the threshold after one.

    Threads: whoever holds the lock of the fake.
    Raises: nothing.
    """

    def __init__(self, on: bool = False) -> None:
        self.on = on
        self.penalty_s: dict[str, float] = {"create": 12.0}
        self.search_quota: int | None = None  # searches a day
        self.refused = 0
        self._free_at: dict[tuple[str, str], float] = {}
        self._searches: list[float] = []

    def check(self, key: str, route: str, now: float) -> tuple[int, Any, dict[str, str]] | None:
        """The answer to a call that comes too soon: status, body, headers."""
        if route == "search" and self.search_quota is not None and self.search_quota <= 0:
            reset = (int(now) // 86_400 + 1) * 86_400
            body = {"success": False, "error": "search_quota_exceeded", "msg": "Daily search quota exceeded."}
            return 429, body, {"X-RateLimit-Reset": str(reset)}
        if self.search_quota is not None and route == "search":
            self.search_quota -= 1
        threshold = THRESHOLDS.get(route)
        if not self.on or threshold is None:
            return None
        wait = self._wait(key, route, threshold, now)
        return None if wait <= 0 else self._refusal(route, threshold, wait, now, key)

    def _wait(self, key: str, route: str, threshold: float, now: float) -> float:
        """Seconds that it came too soon; zero counts it as taken."""
        if route == "search":
            self._searches = [at for at in self._searches if at > now - _MINUTE_S]
            if len(self._searches) >= _SEARCHES_A_MINUTE:
                return self._searches[0] + _MINUTE_S - now
            self._searches.append(now)
            return 0.0
        wait = self._free_at.get((key, route), 0.0) - now
        if wait <= 0:
            self._free_at[key, route] = now + threshold
        return max(0.0, wait)

    def _refusal(
        self, route: str, threshold: float, wait: float, now: float, key: str
    ) -> tuple[int, Any, dict[str, str]]:
        penalty = self.penalty_s.get(route)
        if penalty is not None:
            self._free_at[key, route] = max(self._free_at[key, route], now + penalty)
            wait = self._free_at[key, route] - now
        style, self.refused = self.refused % _STYLES, self.refused + 1
        seconds = max(1, round(wait))
        headers = {"Retry-After": str(seconds)} if style >= 2 else {}
        if style % 2 == 0:
            body: dict[str, Any] = {"detail": f"API requests too frequent endpoint threshold={threshold}"}
            return 429, body | ({"retry_after": seconds} if headers else {}), headers
        return 429, f"API requests too frequent: endpoint threshold={threshold}", headers
