"""Hearing takes before they are published: who judges them, and what follows from a judgement."""

from __future__ import annotations

from synth.verify.expected_length import Due, UsualRate, due_of
from synth.verify.judgement import agreed
from synth.verify.port import BesideVerifier, Divergence, Sent, SentPiece, Unheard, Verdict, Verifier
from synth.verify.retakes import CARE, Care, care_of
from synth.verify.signal_checks import CHECKS, ExaminedPiece, SignalFault, faults_of

__all__ = [
    "CARE",
    "CHECKS",
    "BesideVerifier",
    "Care",
    "Divergence",
    "Due",
    "ExaminedPiece",
    "Sent",
    "SentPiece",
    "SignalFault",
    "Unheard",
    "UsualRate",
    "Verdict",
    "Verifier",
    "agreed",
    "care_of",
    "due_of",
    "faults_of",
]
