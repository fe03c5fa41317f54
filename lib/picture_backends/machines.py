"""Which backends draw on machines elsewhere, and what such a machine needs for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.errors import BadConfiguration
from lib.picture_backends.names import (
    SHIPPED_BACKENDS,
    BackendFacts,
    PictureSettings,
    UnknownBackend,
    facts_of,
)

#: Says why machines cannot draw with a backend, as a sentence; None: they can, or nobody knows.
RefuseBackend = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class MachineBackends:
    """The backends that machines are made ready for. A worker speaks and draws, so it needs room for both."""

    facts: tuple[BackendFacts, ...]

    @property
    def least_vram_gb(self) -> float:
        """Of the GPU, for one of them at a time; 0: they run on the CPU."""
        return max((facts.least_vram_gb for facts in self.facts), default=0.0)

    @property
    def extras(self) -> frozenset[str]:
        """What has to be installed for them."""
        return frozenset(facts.extra for facts in self.facts) - {""}

    def refusal(self, backend: str) -> str | None:
        """Why no machine can draw with it, as a sentence; None: one can."""
        names = [facts.name for facts in self.facts]
        if backend in names:
            return None
        served = ", ".join(names) or "none"
        return (
            f"Machines are not made ready for the picture backend {backend}, only for: {served}. Add it to "
            "IMAGEN_MACHINE_BACKENDS, or draw it on this computer: job-runner run."
        )


def machine_backends(names: Sequence[str], settings: PictureSettings) -> MachineBackends:
    """The backends of the setting IMAGEN_MACHINE_BACKENDS.

    Raises:
        BadConfiguration: one is unknown, or needs a token, which no machine is given.
    """
    found = []
    for name in names:
        try:
            facts = facts_of(name, settings)
            facts_of(name, SHIPPED_BACKENDS)  # machines know no names of the user's own
        except UnknownBackend as error:
            raise BadConfiguration(f"IMAGEN_MACHINE_BACKENDS: {error.message}") from None
        if facts.needs_token:
            raise BadConfiguration(
                f"IMAGEN_MACHINE_BACKENDS names {name}, which needs a token of yours, which no machine is "
                "given: take it out, and draw with it on this computer."
            )
        found.append(facts)
    return MachineBackends(tuple(found))
