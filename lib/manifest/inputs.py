"""What a job's audio depends on: the specification, and the engine and voice it meets on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from lib.errors import BadInput
from lib.jobspec import fingerprint
from lib.manifest.order import Order
from lib.textnorm import FRONT_END
from lib.voices import (
    ResolvedVoice,
    VoiceRegistry,
    check_sayings,
    check_speed,
    check_text,
    engine_facts,
    engine_point,
)

_VERSION: Final = "v1"
#: Raised by a release that makes other audio of the same job, so that what an earlier one made is made again.
_RENDERING: Final = 2
_DRAWING: Final = 1  # of pictures, in the same way
_LEASE_DIGITS: Final = 13  # 52 bits: exact in every JSON reader


@dataclass(frozen=True, slots=True)
class Inputs:
    """An order and the hash of all that decides its audio."""

    order: Order
    hash: str  # `v1:` and 64 hexadecimal digits

    @property
    def lease_no(self) -> int:
        """A number for the spool that says which inputs a result belongs to, also after a crash."""
        return int(self.hash.removeprefix(f"{_VERSION}:")[:_LEASE_DIGITS], 16)


class UnspeakableJobs(BadInput):
    """Jobs that cannot be spoken here. `problems` holds a sentence for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{count} job{'' if count == 1 else 's'} cannot be spoken here; nothing was begun."
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


def check_inputs(
    orders: Iterable[Order], registry: VoiceRegistry, engine: str, pauses: str | None = None
) -> tuple[Inputs, ...]:
    """Resolve each order's voice, check its text, and hash what decides its audio. Loads no engine.

    `pauses` are those of the setting VOICE_PAUSES.

    Raises:
        UnspeakableJobs: voices, speakers, languages or texts are wrong; all of them are named.
        lib.voices.UnknownEngine: the setting names an engine that is not installed.
    """
    found, problems = [], []
    for order in orders:
        spec = order.spec
        if spec.is_picture:
            found.append(Inputs(order, _digest(fingerprint(spec), spec.drawn_by, f"{_DRAWING}")))
            continue
        try:
            resolved = registry.resolve(spec.voice, spec.speaker, spec.language, engine)
            check_text(
                spec.text,
                resolved.engine,
                spec.chunk,
                pronounce=spec.pronounce,
                language=resolved.language,
            )
            check_sayings(spec.text, spec.pronounce, resolved.engine)
            check_speed(spec.speed, resolved.engine)
        except BadInput as error:
            problems.append(f"job {spec.request_id}: {error.message}")
        else:
            found.append(Inputs(order, _hash(fingerprint(spec), resolved, pauses)))
    if problems:
        raise UnspeakableJobs(problems)
    return tuple(found)


def _hash(job: str, resolved: ResolvedVoice, pauses: str | None) -> str:
    decisive = (job, _speaker(resolved), f"{_RENDERING}", *([] if pauses is None else [pauses]))
    return _digest(*decisive)


def _digest(*decisive: str) -> str:
    digest = hashlib.sha256("\n".join(decisive).encode()).hexdigest()
    return f"{_VERSION}:{digest}"


@lru_cache(maxsize=256)
def _speaker(resolved: ResolvedVoice) -> str:
    """Who speaks, by content: a cloned voice by its recording, a designed one by its description."""
    reference = resolved.reference
    # Named only where there is one, so that what others made stays as it is.
    design = {} if resolved.design is None else {"design": resolved.design}
    return json.dumps(
        {
            **design,
            "engine": resolved.engine,
            "model": model_version(resolved.engine),
            "voice": resolved.voice,
            "speaker": resolved.speaker,
            "preset": resolved.preset,
            "language": resolved.language,
            "front_end": FRONT_END,
            "reference": None if reference is None else [reference.sha256, reference.text],
        },
        sort_keys=True,
    )


@lru_cache(maxsize=16)
def model_version(engine: str) -> str | None:
    """The version of the package that brings the engine's model, without loading it; None when unknown."""
    package = engine_facts(engine).package
    if package:
        try:
            return version(package)
        except PackageNotFoundError:
            return None
    point = engine_point(engine)
    return point.dist.version if point is not None and point.dist else None
