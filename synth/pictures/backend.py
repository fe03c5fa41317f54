"""The port between whoever wants a picture and whatever draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from lib.errors import BadInput, Unavailable

#: Pixels of a side: what every model can draw, and memory that a worker has.
SMALLEST, LARGEST, STEP = 64, 4096, 8
#: Characters of a prompt. Models read some 500 tokens and pass over the rest.
MOST_PROMPT: Final = 4000
#: Seeds fit the generators of every backend and a column `bigint`.
LAST_SEED: Final = 2**32 - 1


class BadOrder(BadInput):
    """What is asked for cannot be drawn, by this backend or by any; asking again changes nothing."""


class BackendUnavailable(Unavailable):
    """What draws does not answer, or refuses for a reason that may pass.

    `spent_usd` is what it cost all the same; None: nothing that is known.
    """

    def __init__(self, message: str, spent_usd: float | None = None) -> None:
        super().__init__(message)
        self.spent_usd = spent_usd

    @property
    def costs_again(self) -> bool:
        """Whether asking again may cost money for a second time."""
        return bool(self.spent_usd)


class PaidInVain(BackendUnavailable):
    """No picture came of an order that was paid for, or may have been: asked again, it may cost again.

    No program asks again by itself; a person may.
    """

    @property
    def costs_again(self) -> bool:
        """It may."""
        return True


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """What is to be drawn."""

    prompt: str
    width: int  # pixels, 64..4096, multiples of 8
    height: int
    seed: int = 0
    theme: str = ""  # only `card` reads it; "" is its default


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture."""

    png: bytes
    width: int
    height: int
    seed: int
    backend: str  # the configured name
    model: str = ""
    seconds: float = 0.0
    cost_usd: float | None = None


class PictureBackend(Protocol):
    """Something that draws, under the name it is configured with.

    Threads: one at a time.
    """

    name: str

    def draw(self, order: PictureOrder) -> Picture:
        """Draw one picture; blocks until it is there, seconds to minutes.

        Raises:
            BadOrder: the order is out of bounds, or the backend will not draw it.
            BackendUnavailable: it does not answer, or gave something that is no picture (PaidInVain: and
                asking again may cost again).
            lib.errors.BadConfiguration: a setting, a token or a package is missing or wrong.
        """
        ...

    def close(self) -> None:
        """Give back what it holds, memory of a GPU for one. Closing twice is allowed."""
        ...


def check_order(order: PictureOrder) -> None:
    """Hold an order against the bounds that all backends share.

    Raises:
        BadOrder: the first thing that is wrong with it.
    """
    for side, pixels in (("width", order.width), ("height", order.height)):
        if not SMALLEST <= pixels <= LARGEST or pixels % STEP:
            raise BadOrder(
                f"the {side} of a picture must be {SMALLEST} to {LARGEST} pixels and a multiple of {STEP}; "
                f"not {pixels}"
            )
    if not order.prompt.strip():
        raise BadOrder("the prompt is empty; say what is to be drawn")
    if "\0" in order.prompt:
        raise BadOrder("the prompt holds a NUL character; remove it")
    if len(order.prompt) > MOST_PROMPT:
        raise BadOrder(f"the prompt has {len(order.prompt)} characters but may have at most {MOST_PROMPT}")
    if any("\ud800" <= char <= "\udfff" for char in order.prompt):
        raise BadOrder("the prompt is no valid Unicode; it holds half of a surrogate pair")
    if not 0 <= order.seed <= LAST_SEED:
        raise BadOrder(f"the seed must be 0 to {LAST_SEED}; not {order.seed}")
