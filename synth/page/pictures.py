"""A picture among the beats of a page: its card."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from lib.records import DrawnRecord
from synth.page.markup import Markup, address, tag
from synth.page.page_list import ShownBeat

_STATES: Final = {"artifact_gone": "picture gone", "replaced": "name taken"}
_MOST_ALT: Final = 300  # characters that are read to whoever cannot see it


class PictureCard:
    """A picture that was looked at: whether its file is there."""

    seconds = 0.0
    loudest = 0.0
    has_faults = False

    def __init__(self, number: int, beat: ShownBeat, record: DrawnRecord, folder: Path) -> None:
        self._number, self._beat, self._record, self._folder = number, beat, record, folder
        self._file = next((file for file in beat.files if file is not None and os.path.isfile(file)), None)

    @property
    def is_playable(self) -> bool:
        """Whether it can be shown."""
        return self._file is not None

    def data(self) -> dict[str, Any]:
        """For the script: a beat of which nothing is played."""
        return {"title": self._beat.title, "takes": []}

    def html(self, scale: float) -> Markup:
        """The card; `scale` is for waveforms."""
        beat, number = self._beat, str(self._number)
        said = [beat.note] if beat.note else []
        if self._file is None and not said:
            said.append("The picture is not where it was drawn to.")
        return tag(
            "li",
            tag(
                "article",
                tag(
                    "header",
                    tag("span", number, class_="number", aria_hidden="true"),
                    tag("h2", beat.title, id=f"t{number}", dir="auto"),
                ),
                self._shown(),
                tag("p", beat.text, class_="text", dir="auto") if beat.text else None,
                *[
                    tag("p", sentence, class_="remark", dir="auto")
                    for sentence in (*said, *self._record.warnings)
                ],
                self._foot(),
                aria_labelledby=f"t{number}",
            ),
            class_="beat drawn" if self._file else "beat silent",
            id=f"b{number}",
        )

    def _shown(self) -> Markup | None:
        if self._file is None:
            return None
        picture = self._record.picture
        image = tag(
            "img",
            src=address(self._file, self._folder),
            alt=(self._beat.text or self._beat.title)[:_MOST_ALT],
            width=str(picture.width),
            height=str(picture.height),
            loading="lazy",
            decoding="async",
        )
        return tag("figure", image)

    def _foot(self) -> Markup:
        beat, record = self._beat, self._record
        pills = []
        if beat.state != "done":
            pills.append(tag("span", _STATES.get(beat.state, beat.state), class_="pill bad", dir="auto"))
        elif self._file is None:
            pills.append(tag("span", "picture missing", class_="pill bad"))
        made = " ".join(dict.fromkeys(word for word in (record.backend, record.model) if word))
        pills.append(tag("span", made, class_="who", dir="auto"))
        pills.append(tag("span", f"{record.picture.width} × {record.picture.height}", class_="level"))
        return tag("footer", *pills, self._download())

    def _download(self) -> Markup | None:
        if self._file is None:
            return None
        return tag(
            "a",
            "Download",
            href=address(self._file, self._folder),
            download=self._record.picture.main.file.rpartition("/")[2],
            class_="download",
            aria_label=f"Download {self._beat.title}",
        )
