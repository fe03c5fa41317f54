"""Checks of a piece's sound that need no recogniser: each says what is wrong in a sentence, or nothing.

They are pure and look at measures, so the same samples have the same faults everywhere. The thresholds come
from 13 sentences of each of four engines, and 16 kinds of damage done to them; each names its reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from synth.audio.levels import Samples
from synth.audio.measures import LEAST_SOUNDS, PieceMeasures
from synth.audio.repeats import likeness
from synth.audio.trim import Trimmed
from synth.verify.expected_length import Due


@dataclass(frozen=True, slots=True)
class SignalFault:
    """What one check found: its name, and a sentence with the evidence."""

    check: str
    why: str


@dataclass(frozen=True, slots=True)
class ExaminedPiece:
    """One piece as the engine made it, and what its text should take."""

    raw: Samples  # (n,), mono, full scale 1.0
    sample_rate: int  # Hz
    trimmed: Trimmed
    measures: PieceMeasures
    due: Due


#: A sentence about what is wrong, or None.
Check = Callable[[ExaminedPiece], str | None]

#: Beyond the tolerance: lines of a word or two are drawn out by up to 0.35 s ("Bells, bells, bells!").
_DRAWN_OUT_S: Final = 0.25
_HURRIED_S: Final = 0.05
_LONGEST_WORD_S: Final = 0.75  # with the next, what tts-audiobook-tool allows a take
_LONGEST_BEYOND_S: Final = 1.5
_MOST_LETTERS_PER_S: Final = 28.0  # nobody speaks so; hibari's quickest sentence has 22
_LEAST_LETTERS: Final = 20
_LONGEST_GAP_S: Final = 1.2  # hibari's longest is 0.52; over it a listener waits
_LONGER_PAUSE_S: Final = 0.3
_LONGEST_MARGIN_S: Final = 1.5  # at either end; a Japanese voice of Kokoro leaves 0.84
_LEAST_TRAIL_S: Final = 0.060  # less quiet at the end is a word cut off; the engines leave 0.08 to 0.84
_FADED_DB: Final = -24.0  # of the peak, in the last 60 ms; a quick "A?" of hibari ends so
_LOUD_ONSET_DB: Final = -10.0  # re peak; vowels of engines that leave no quiet begin at -16
_LARGEST_OFFSET: Final = 0.01
_QUIETEST_RMS_DB: Final = -45.0  # hibari as it comes: -27
_LEAST_CONTRAST_DB: Final = 15.0  # of speech with its margins 90; noise through all of it leaves less
_LONGEST_FAINT_S: Final = 0.6  # a last syllable fades in 0.28 at most
_SAME: Final = 0.92  # three sentences of one voice are 0.85 alike at most; what is said again, mostly 0.97
_REPEAT_BEYOND_S: Final = 0.4  # what is said twice takes longer
_REPEAT_BEYOND: Final = 0.08  # of the whole; most sentences of a voice lie within it


def check_rate(piece: ExaminedPiece) -> str | None:
    """Sounding time within the voice's tolerance of what its rate makes of the text.

    Only where the rate is known and the piece has 9 sounds at least; shorter ones may be drawn out by a
    second. Catches runaways, repeats, extra words, lost clauses, and speech 1.8 times too quick.
    """
    due, active = piece.due, piece.measures.active_s
    counted, expected = due.counted, due.expected_s
    if counted is None or expected is None or due.usual is None:
        return None
    if counted < LEAST_SOUNDS:
        if active > expected + 1.0 / due.speed:
            return (
                f"It sounds for {active:.1f} s, where the voice takes {expected:.1f} s for so short a text."
            )
        return None
    most = expected * (1 + due.usual.tolerance) + _DRAWN_OUT_S / due.speed
    least = expected * (1 - due.usual.tolerance) - _HURRIED_S / due.speed
    if least <= active <= most:
        return None
    slower = "slower" if active > most else "quicker"
    rate, usual = counted / max(active, 0.02), due.usual.per_second * due.speed
    return (
        f"It is much {slower} than the voice speaks: {rate:.1f} {due.usual.unit} a second, not about"
        f" {usual:.1f}; it sounds for {active:.1f} s instead of {expected:.1f} s."
    )


def check_length(piece: ExaminedPiece) -> str | None:
    """Sounding time that some speaker might need: at most 1.5 s and 0.75 s a word, 28 letters a second.

    It needs no knowledge of the voice, so it runs for every engine. The upper bound is that of
    tts-audiobook-tool, which alone caught 4 of 13 tails of five seconds.
    """
    due, active = piece.due, piece.measures.active_s
    most = (_LONGEST_BEYOND_S + _LONGEST_WORD_S * max(due.words, 1)) / due.speed
    if active > most:
        return f"It sounds for {active:.1f} s; a text of {due.words} words takes {most:.1f} s at most."
    least = due.letters / (_MOST_LETTERS_PER_S * due.speed)
    if due.letters >= _LEAST_LETTERS and active < least:
        return f"It sounds for {active:.1f} s; {due.letters} letters cannot be said in under {least:.1f} s."
    return None


def check_gap(piece: ExaminedPiece) -> str | None:
    """No silence over 1.2 s inside, nor 0.3 s longer than the text asks for."""
    gap, most = piece.measures.gap_s, max(_LONGEST_GAP_S, piece.due.pause_s + _LONGER_PAUSE_S)
    return f"It is silent for {gap:.1f} s in the middle." if gap > most else None


def check_margins(piece: ExaminedPiece) -> str | None:
    """At most 1.5 s of silence before the first sound and after the last, or what the text asks for."""
    most = max(_LONGEST_MARGIN_S, piece.due.pause_s + _LONGER_PAUSE_S)
    for name, seconds in (
        ("before the first", piece.measures.lead_s),
        ("after the last", piece.measures.trail_s),
    ):
        if seconds > most:
            return f"It is silent for {seconds:.1f} s {name} sound."
    return None


def check_cut_off(piece: ExaminedPiece) -> str | None:
    """At least 60 ms of quiet after the last sound, before trimming: 13 of 13 cut ends, no false alarm.

    Of a lone sound its breath may be cut off: what ends under -24 dB of the peak has faded.
    """
    trail, due = piece.measures.trail_s, piece.due
    lone = (due.letters if due.sounds is None else due.sounds) < LEAST_SOUNDS
    if trail >= _LEAST_TRAIL_S or (lone and piece.measures.end_db <= _FADED_DB):
        return None
    return f"It ends {trail * 1000:.0f} ms after its last sound: a word is cut off."


def check_cut_start(piece: ExaminedPiece) -> str | None:
    """Quiet before the first sound, where the engine always leaves some; else no sound that is there at once.

    At once: its first 5 ms are less than 10 dB under the peak.
    """
    measures, due = piece.measures, piece.due
    if measures.lead_s < due.least_lead_s:
        return f"It begins {measures.lead_s * 1000:.0f} ms before its first sound: the start is cut off."
    if measures.lead_s or measures.onset_db <= _LOUD_ONSET_DB:
        return None
    return (
        f"Its first sound is there at once, {-measures.onset_db:.0f} dB under the peak: the start is cut off."
    )


def check_clipped(piece: ExaminedPiece) -> str | None:
    """No plateau of three samples and more at the peak: 900 sound takes of hibari have none."""
    clipped, samples = piece.measures.clipped, max(piece.measures.samples, 1)
    if not clipped:
        return None
    ppm = clipped * 1e6 / samples
    return f"{clipped} samples are clipped, {ppm:.0f} in a million."


def check_offset(piece: ExaminedPiece) -> str | None:
    """A mean of all samples of at most 0.01 of full scale: more is direct current."""
    offset = piece.measures.offset
    return f"It lies {offset:+.3f} of full scale beside zero." if abs(offset) > _LARGEST_OFFSET else None


def check_quiet(piece: ExaminedPiece) -> str | None:
    """At least -45 dBFS over all samples: quieter, nothing was said, or its noise would be raised with it."""
    power = max(piece.measures.power, 1e-12)
    level = _decibels(power)
    return f"Its level is {level:.0f} dBFS: there is next to no sound." if level < _QUIETEST_RMS_DB else None


def check_noise(piece: ExaminedPiece) -> str | None:
    """At least 15 dB between its quietest frames and its loudest."""
    contrast = piece.measures.contrast_db
    if contrast >= _LEAST_CONTRAST_DB:
        return None
    return f"Its loudest and quietest moments are only {contrast:.0f} dB apart: there is noise over it."


def check_murmur(piece: ExaminedPiece) -> str | None:
    """No second whose level does not move as that of speech does, no end of over 0.6 s far below speech.

    The murmur and the noise of an engine that missed its end: a recogniser hears nothing in them, so it
    found none of 26 such takes. Speech moves by over 5 dB within a second, noise by 0.3 dB.
    """
    measures = piece.measures
    if measures.even_s:
        return f"It hums or rustles evenly for {measures.even_s:.1f} s."
    if measures.faint_s > _LONGEST_FAINT_S:
        return f"It goes on for {measures.faint_s:.1f} s after the last word, far below speech."
    return None


def check_repeat(piece: ExaminedPiece) -> str | None:
    """No stretch of 0.7 s said twice, where the text says nothing twice and the sound is longer than due.

    It finds what is repeated sound by sound; what is said again in another way, a recogniser has to find.
    """
    due, active = piece.due, piece.measures.active_s
    expected = due.expected_s
    if due.repeats:
        return None
    if expected is not None and active < expected + max(_REPEAT_BEYOND_S, _REPEAT_BEYOND * expected):
        return None
    if likeness(piece.trimmed.samples, piece.sample_rate) < _SAME:
        return None
    return "A stretch of it is said twice; the text says it once."


#: All of them, by the name that records have; in the order of records.
CHECKS: Final[Mapping[str, Check]] = {
    "rate": check_rate,
    "length": check_length,
    "gap": check_gap,
    "margins": check_margins,
    "cut_off": check_cut_off,
    "cut_start": check_cut_start,
    "clipped": check_clipped,
    "offset": check_offset,
    "quiet": check_quiet,
    "noise": check_noise,
    "murmur": check_murmur,
    "repeat": check_repeat,
}


def faults_of(piece: ExaminedPiece, checks: Mapping[str, Check] = CHECKS) -> tuple[SignalFault, ...]:
    """What is wrong with one piece. Never raises for what is in the samples, as long as they are finite."""
    found = ((name, check(piece)) for name, check in checks.items())
    return tuple(SignalFault(name, why) for name, why in found if why is not None)


def _decibels(power: float) -> float:
    return 10 * math.log10(power)
