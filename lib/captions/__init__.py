"""Captions: cues with times, how a text is cut into them, and the files that players read. No files here.

A text is given in lines whose times are known (`TimedLine`), and becomes cues that can be read while they
are heard (`cut_cues`); these are rendered as SRT, WebVTT and JSON (`lib.captions.formats`).
"""

from __future__ import annotations

from lib.captions.cue import SOURCES, BrokenCaptions, Cue, cue_trouble
from lib.captions.formats import FORMATS, read_json, render, rendered
from lib.captions.lines import READING, ReadingLimits
from lib.captions.timed_lines import Knot, TimedLine, cut_cues, fitted

__all__ = [
    "FORMATS",
    "READING",
    "SOURCES",
    "BrokenCaptions",
    "Cue",
    "Knot",
    "ReadingLimits",
    "TimedLine",
    "cue_trouble",
    "cut_cues",
    "fitted",
    "read_json",
    "render",
    "rendered",
]
