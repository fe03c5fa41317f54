"""What the pictures of a job file take, by the facts of their backends; nothing is measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lib.jobspec import JobSpec
from lib.picture_backends.names import BackendFacts
from lib.units import MICROS, seconds_text, usd

_USUAL_PIXELS: Final = 1024 * 1024  # of the picture whose time the facts tell


@dataclass(frozen=True, slots=True)
class PicturePart:
    """The pictures of one backend. Seconds are for all of them, one after the other."""

    facts: BackendFacts
    pictures: int
    draw_s: float

    @property
    def price_micros(self) -> int | None:
        """What a service takes for them, in millionths of a dollar; None: it is not known."""
        each = self.facts.usd_per_picture
        return None if each is None else int(Decimal(str(each)) * self.pictures * MICROS)

    def sentence(self) -> str:
        """For people: how many, how long, for how much."""
        price = self.price_micros
        paid = "at a price that is not known"
        if price is not None:
            paid = f"for ${Decimal(usd(price)):.4f}" if price else "for nothing but the machine's time"
        return (
            f"{self.facts.name} draws {self.pictures} picture{'' if self.pictures == 1 else 's'} in about "
            f"{seconds_text(self.draw_s)}, {paid}."
        )


def draw_seconds(spec: JobSpec, facts: BackendFacts) -> float:
    """How long a picture usually takes to draw, on what its backend needs; by its pixels."""
    width, height = spec.size
    return round(facts.usual_s * width * height / _USUAL_PIXELS, 1)


def parts_of(pictures: Iterable[tuple[JobSpec, BackendFacts | None]]) -> list[PicturePart]:
    """The pictures by backend, in the order of their names. Those of unknown backends are left out."""
    found: dict[str, PicturePart] = {}
    for spec, facts in pictures:
        if facts is not None:
            before = found.get(facts.name, PicturePart(facts, 0, 0.0))
            seconds = round(before.draw_s + draw_seconds(spec, facts), 1)
            found[facts.name] = PicturePart(facts, before.pictures + 1, seconds)
    return [found[name] for name in sorted(found)]


def price_of(parts: Iterable[PicturePart]) -> str | None:
    """What services take for all of them, dollars as text; None: of one it is not known."""
    prices = [part.price_micros for part in parts]
    known = [price for price in prices if price is not None]
    return usd(sum(known)) if len(known) == len(prices) else None
