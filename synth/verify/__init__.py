"""Hearing takes before they are published: who judges them, and what follows from a judgement."""

from __future__ import annotations

from synth.verify.care import CARE, Care, care_of
from synth.verify.port import Sent, Verdict, Verifier

__all__ = ["CARE", "Care", "Sent", "Verdict", "Verifier", "care_of"]
