"""How long a store that does not do what it is asked is waited for, all in all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from lib.storage.port import StorageUnavailable

_LONG_S: Final = 5.0  # a refusal that took so long is not waited for again at once
_SPARE_S: Final = 10.0


class Patience:
    """Bounds one call with all its repeats, and spares the calls behind one that was refused after long.

    `answer_s` is how long one request may stay without an answer; a call that has taken so long is repeated
    no more. Whoever stores a hundred files one after the other must not wait as long for each of them: for a
    while after a long refusal the others are refused at once, in the same words. `refuse` makes the error of
    a sentence.

    Threads: any.
    Raises: StorageUnavailable, from the two that `need`.
    """

    def __init__(
        self, monotonic: Callable[[], float], answer_s: float, refuse: Callable[[str], StorageUnavailable]
    ) -> None:
        self.answer_s = answer_s
        self.now, self._refuse = monotonic, refuse
        self._long_s, self._spare_s = min(_LONG_S, answer_s), min(_SPARE_S, answer_s)
        self._call = threading.local()
        self._spared: tuple[float, StorageUnavailable] | None = None  # until then, with this

    def begin(self, **about: Any) -> None:
        """A call begins, in this thread."""
        self._call.began = self.now()

    def need_time(self, **about: Any) -> None:
        """A request of the call is to be sent, the first or a repeat: its time must not be over."""
        took = self.now() - getattr(self._call, "began", self.now())
        if took >= self.answer_s:
            raise self._refuse(f"it has not done in {took:.0f} s what it was asked; look whether it is well")

    def need_hope(self) -> None:
        """No call may have been refused a moment ago after long."""
        spared = self._spared
        if spared is not None and self.now() < spared[0]:
            raise type(spared[1])(spared[1].message)

    def note(self, began: float, refusal: StorageUnavailable) -> None:
        """What began then was refused."""
        now = self.now()
        if now - began >= self._long_s:
            self._spared = now + self._spare_s, refusal
