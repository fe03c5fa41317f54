"""One beat of a page: its card, and what the page's script has to know of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lib.records import SpokenRecord, Take
from lib.units import seconds_text
from synth.page.markup import Markup, address, tag
from synth.page.page_list import ShownBeat
from synth.page.waveform import bars_of

#: The measures that are faults (docs/reference/result-json.md), as a listener would say it.
_FAULTS: Final = {
    "rate": "odd pace",
    "length": "odd length",
    "gap": "long silence inside",
    "margins": "long silence around",
    "cut_off": "end cut off",
    "cut_start": "start cut off",
    "clipped": "clipped",
    "offset": "off centre",
    "quiet": "hardly any sound",
    "noise": "noise",
    "murmur": "murmur",
    "repeat": "said twice",
}
_STATES: Final = {
    "missing": "not enqueued",
    "artifact_gone": "audio gone",
    "changed": "text changed",
    "replaced": "name taken",
}
#: States that time mends.
_TO_COME: Final = frozenset({"missing", "delayed", "waiting", "running", "not spoken", "not drawn"})
_HALF: Final = 50  # of a waveform's height, in its own units
_WIDTH: Final = 4  # of a bar with its gap


class BeatCard:
    """A beat that was looked at: which takes can be played, and their waveforms."""

    def __init__(self, number: int, beat: ShownBeat, record: SpokenRecord | None, folder: Path) -> None:
        self._number, self._beat, self._record, self._folder = number, beat, record, folder
        self._playable = [
            (take, file, bars_of(file, peaks))
            for take, file, peaks in zip(_takes(record), beat.files, beat.peaks, strict=True)
            if file is not None and os.path.isfile(file)
        ]

    @property
    def is_playable(self) -> bool:
        """Whether its chosen take, or any, is there."""
        return bool(self._playable)

    @property
    def seconds(self) -> float:
        """Length of the take that plays first; 0 where none does."""
        return self._playable[0][0].audio_seconds if self._playable else 0.0

    @property
    def loudest(self) -> float:
        """The highest bar of its takes, 0 to 1."""
        return max((max(bars, default=0.0) for _, _, bars in self._playable), default=0.0)

    @property
    def has_faults(self) -> bool:
        """Whether a listener should look twice: a fault of the chosen take, or words that were not heard."""
        record = self._record
        return record is not None and bool(record.chosen.flags or record.verdict == "FAILED")

    def data(self) -> dict[str, Any]:
        """Addresses and captions of its takes, for the script."""
        return {
            "title": self._beat.title,
            "takes": [
                {
                    "src": address(file, self._folder),
                    "name": _name_of(take),
                    "seconds": take.audio_seconds,
                    "cues": [[cue.start, cue.end, cue.text] for cue in take.captions],
                }
                for take, file, _ in self._playable
            ],
        }

    def html(self, scale: float) -> Markup:
        """The card; a bar of the height `scale` fills the waveform."""
        beat, number = self._beat, str(self._number)
        return tag(
            "li",
            tag(
                "article",
                self._play_button(),
                tag(
                    "header",
                    tag("span", number, class_="number", aria_hidden="true"),
                    tag("h2", beat.title, id=f"t{number}", dir="auto"),
                    tag("span", seconds_text(self.seconds), class_="seconds") if self._playable else None,
                ),
                self._waves(scale),
                tag("p", beat.text, class_="text", dir="auto") if beat.text else None,
                *self._remarks(),
                self._foot(),
                aria_labelledby=f"t{number}",
            ),
            class_="beat" if self._playable else "beat silent",
            id=f"b{number}",
        )

    def _play_button(self) -> Markup:
        label = f"Play {self._beat.title}" if self._playable else f"{self._beat.title} cannot be played"
        return tag(
            "button", _PLAY, type="button", class_="play", aria_label=label, disabled=not self._playable
        )

    def _waves(self, scale: float) -> Markup | None:
        if not self._playable:
            return None
        drawn = [_wave(bars, scale, hidden=at > 0) for at, (_, _, bars) in enumerate(self._playable)]
        slider = tag(
            "input",
            type="range",
            min="0",
            max=f"{self.seconds:.2f}",
            step="0.01",
            value="0",
            class_="seek",
            aria_label=f"Position in {self._beat.title}, in seconds",
        )
        return Markup(tag("div", *drawn, slider, class_="wave") + tag("p", class_="cue", dir="auto"))

    def _remarks(self) -> Sequence[Markup]:
        """What is wrong with it, in sentences."""
        beat, record = self._beat, self._record
        said = [beat.note] if beat.note else []
        if record is not None:
            if not self._playable and not said:
                said.append("Its audio is not where it was spoken to.")
            if record.verdict == "FAILED" and not any(record.verdict_why in line for line in record.warnings):
                said.append(record.verdict_why)
            said += record.warnings
        kind = "remark calm" if beat.state in _TO_COME else "remark"
        remarks = [tag("p", sentence, class_=kind, dir="auto") for sentence in said]
        if record is not None and record.asked > 1:
            remarks.append(tag("p", record.chosen_why, class_="remark calm", dir="auto"))
        return remarks

    def _foot(self) -> Markup:
        beat, record = self._beat, self._record
        kind = "open" if beat.state in _TO_COME else "bad"
        pills = [_pill(_STATES.get(beat.state, beat.state), kind)] if beat.state != "done" else []
        if record is None:
            return tag("footer", *pills)
        if not self._playable and beat.state == "done":
            pills.append(_pill("audio missing", "bad"))
        pills += [_pill(_FAULTS.get(flag, flag), "bad") for flag in record.chosen.flags]
        pills.append(_verdict(record))
        who = record.voice or record.speaker or ""
        if who != beat.title:
            pills.append(tag("span", who, class_="who", dir="auto"))
        if beat.about:
            pills.append(tag("span", beat.about, class_="of", dir="auto"))
        if record.chosen.loudness_lufs is not None:
            pills.append(tag("span", f"{record.chosen.loudness_lufs:.1f} LUFS", class_="level"))
        return tag("footer", *pills, self._take_choice(), self._download())

    def _take_choice(self) -> Markup | None:
        if len(self._playable) < 2:
            return None
        buttons = [
            tag(
                "button",
                str(take.take),
                type="button",
                class_="take",
                aria_pressed="true" if at == 0 else "false",
                aria_label=f"Take {take.take} of {self._beat.title}",
            )
            for at, (take, _, _) in enumerate(self._playable)
        ]
        return tag("span", "Take", *buttons, class_="takes")

    def _download(self) -> Markup | None:
        if not self._playable:
            return None
        take, file, _ = self._playable[0]
        return tag(
            "a",
            "Download",
            href=address(file, self._folder),
            download=_name_of(take),
            class_="download",
            aria_label=f"Download {self._beat.title}",
        )


def _takes(record: SpokenRecord | None) -> tuple[Take, ...]:
    return () if record is None else record.takes


def _name_of(take: Take) -> str:
    """What its download is called, wherever it lies."""
    return take.audio.file.rpartition("/")[2]


def _verdict(record: SpokenRecord) -> Markup:
    kind = {"PASSED": "good", "FAILED": "bad"}.get(record.verdict, "open")
    return _pill(record.verdict, kind, title=record.verdict_why)


def _pill(word: str, kind: str, title: str | None = None) -> Markup:
    return tag("span", word, class_=f"pill {kind}", title=title or None, dir="auto")


def _wave(bars: Sequence[float], scale: float, *, hidden: bool) -> Markup:
    """Bars around the middle; a bar of silence stays a dot."""
    parts = []
    for at, level in enumerate(bars):
        half = max(round(level / scale * (_HALF - 2)), 1) if scale else 1
        parts.append(f"M{at * _WIDTH + _WIDTH // 2} {_HALF - half}v{2 * half}")
    return tag(
        "svg",
        tag("path", d="".join(parts)),
        viewBox=f"0 0 {max(len(bars), 1) * _WIDTH} {2 * _HALF}",
        preserveAspectRatio="none",
        aria_hidden="true",
        focusable="false",
        hidden=hidden,
    )


_PLAY: Final = Markup(
    '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
    '<path class="to-play" d="M8 5.5v13l11-6.5z"/>'
    '<path class="to-pause" d="M7 5.5h3.6v13H7zM13.4 5.5H17v13h-3.6z"/>'
    "</svg>"
)
