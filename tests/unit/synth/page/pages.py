"""Lists of pages for tests: beats of a hum, with texts that want to be more than texts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import soundfile

from lib.captions import Cue
from lib.records import FileRef, SpokenRecord, Take
from tests.unit.synth.join.playlists import RATE, hard

#: Each says its own name aloud where it runs: into `window.hacked`, the console, or a dialog.
ATTACKS = (
    "<script>window.hacked=1;console.log('hacked')</script>",
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror='window.hacked=1'>",
    '"><svg onload=window.hacked=1>',
    "' onmouseover='window.hacked=1' autofocus onfocus='window.hacked=1",
    "javascript:alert(1)",
    "</title></style><iframe src=https://example.org/x></iframe>",
    "<!--<script>window.hacked=1<!--",
    "\u2028window.hacked=1;\u2029//\x00\x1b[2J\ud800",
    "]]><link rel=stylesheet href=https://example.org/y>{{7*7}}${window.hacked=1}`",
)
#: File names in many scripts, with what means something in an address.
NAMES = (
    "plain",
    "100% of #1? a&b=c;d",
    "Müller, das Über 'quoted' \"twice\"",
    "日本語の物語 第一話",
    "مرحبا بالعالم",
    "שלום ‎עולם",
    "🎧 emoji 👩‍👩‍👧",
    "https___example.org",
    "<b>bold<",
    "%2e%2e%2fup+plus",
)


def record(audio: Path, seconds: float, **more: Any) -> SpokenRecord:
    """The record of a beat whose take is that file."""
    data = audio.read_bytes()
    take = Take(
        take=1,
        audio=FileRef(audio.name, len(data), hashlib.sha256(data).hexdigest()),
        audio_seconds=seconds,
        loudness_lufs=-19.0,
        flags=more.pop("flags", ()),
        captions=more.pop("captions", ()),
    )
    told: dict[str, Any] = {
        **{"engine": "hibari", "model": "hibari heart", "revision": "1", "language": "English"},
        **{"profile": "balanced", "characters": 9, "pieces": 1, "work_seconds": 0.1},
        **{"real_time_factor": 0.1, "sample_rate": RATE, "audio_format": "wav", "speaker": "Ryan"},
        **{"chosen_why": "It is the only one.", "verdict": "UNVERIFIED"},
        **{"verdict_why": "No recogniser compared speech and text.", "created_at": "2026-11-30T00:00:00Z"},
    }
    return SpokenRecord(takes=(take,), **{**told, **more})


def beat(
    folder: Path, name: str, *, seconds: float = 0.4, title: str | None = None, **more: Any
) -> dict[str, Any]:
    """A beat of the list whose audio lies in `folder` under that name."""
    audio = folder / f"{name}.wav"
    soundfile.write(str(audio), hard(seconds, 220.0), RATE, "PCM_16")
    text = more.pop("text", f"This is {name}.")
    said = "".join(letter for letter in text[:40] if letter.isprintable())  # as a record's cues have to be
    cues = (Cue(0.0, seconds / 2, said, "piece"), Cue(seconds / 2, seconds, "And on.", "piece"))
    told = record(audio, seconds, **{"captions": cues, **more})
    return {
        "title": name if title is None else title,
        "text": text,
        "record": told.to_json(),
        "files": [str(audio)],
    }


def hostile(folder: Path, count: int) -> list[dict[str, Any]]:
    """Beats with an attack in every text and a name out of every script, again and again."""
    made = []
    for at in range(count):
        attack, name = ATTACKS[at % len(ATTACKS)], f"{NAMES[at % len(NAMES)]} {at}"
        told = {
            **{"speaker": attack, "warnings": (attack,), "verdict": attack if at % 7 == 3 else "UNVERIFIED"},
            **{"verdict_why": attack, "flags": (attack,) if at % 5 == 2 else ()},
        }
        made.append(
            {**beat(folder, name, seconds=0.1, title=f"{attack} {at}", text=attack, **told), "note": attack}
        )
    return made


def page_list(
    folder: Path, beats: list[dict[str, Any]], title: str = "tides", name: str = "listen.html"
) -> Path:
    """A list of one page of these beats."""
    path = folder / "pages.json"
    page = {"file": str(folder / name), "title": title, "beats": beats}
    path.write_text(json.dumps({"format": 1, "pages": [page]}))
    return path
