"""How the fake Vast refuses: a status, and the words that Vast has for it."""

from __future__ import annotations

from typing import Any


class ApiRefusal(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, error: str, msg: str, **more: Any) -> None:
        super().__init__(f"{status} {error}: {msg}")
        self.status = status
        self.body: dict[str, Any] = {"success": False, "error": error, "msg": msg, **more}


def no_such_instance(instance: int) -> ApiRefusal:
    """There is none of that number, or no more."""
    return ApiRefusal(404, "no_such_instance", f"Instance {instance} not found.")


def invalid_args(msg: str) -> ApiRefusal:
    """The body of the call cannot be."""
    return ApiRefusal(400, "invalid_args", msg)
