"""The backend class `replicate`: pictures over the HTTP API of Replicate, or of a server that speaks it."""

from __future__ import annotations

from synth.pictures.replicate.backend import ReplicateBackend

__all__ = ["ReplicateBackend"]
