"""What is to be assembled: the timeline (docs/reference/timeline.md), read with suspicion."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lib.foreign import parse_json
from lib.jobspec.episode_names import title_trouble
from lib.jobspec.files.yamltree import read_yaml
from lib.records.reading import Fields
from synth.order_file import read_order
from synth.typeset.caption_painter import USUAL_STYLE, CaptionStyle
from synth.video.cue_files import CueFile, SpokenWord, VideoCue, read_cue_file
from synth.video.moves import MOVES, Framing, KenBurns, named_move

FORMAT: Final = 1
#: Width and height in pixels, by the shape's name.
SHAPES: Final = {"16:9": (1920, 1080), "9:16": (1080, 1920), "1:1": (1080, 1080)}
CAPTION_STYLES: Final = ("burned", "soft", "both", "off")
FITS: Final = ("cover", "contain")
_LOOKS: Final[dict[str, Literal["outline", "box"]]] = {"outline": "outline", "box": "box"}
_PLACES: Final[dict[str, Literal["bottom", "middle", "top"]]] = {
    "bottom": "bottom",
    "middle": "middle",
    "top": "top",
}
_MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_SCENES: Final = 10_000
_MOST_CUES: Final = 50_000
_LONGEST_FADE_S: Final = 5.0
_MOST_PIXELS, _LEAST_PIXELS = 4096, 64
_KEYS: Final = {
    "": "format shape size fps narration captions music fade scenes poster loudness title",
    "captions": "file cues show look place size",
    "cues": "start end text words",
    "words": "start end text",
    "music": "file level duck fade",
    "scenes": "picture start move from to fade fit chapter",
    "framing": "zoom x y",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture from `start` (seconds of the narration) until the next one's start."""

    picture: Path
    start: float
    move: KenBurns
    fade: float  # seconds in which it comes in over the one before
    fit: str  # one of FITS
    chapter: str = ""


@dataclass(frozen=True, slots=True)
class Music:
    """The bed under the narration: `level` LU under it, and under speech `duck` LU more."""

    file: Path
    level: float = 10.0
    duck: float = 10.0
    fade: float = 2.0  # seconds at its begin and end


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that makes a video. Sizes in pixels, times in seconds of the narration."""

    width: int
    height: int
    fps: int
    narration: Path
    scenes: tuple[Scene, ...]
    cues: tuple[VideoCue, ...]
    show: str  # one of CAPTION_STYLES
    style: CaptionStyle  # of burned captions
    music: Music | None
    loudness: float  # LUFS
    poster: float | None  # the moment that is its poster; None: the first scene's middle
    title: str
    file: Path | None = None  # where it stands
    captions_file: Path | None = None
    mended_cues: int = 0  # of that file, which overlapped or stood out of order

    @property
    def burned(self) -> bool:
        """Whether captions stand in the picture."""
        return self.show in ("burned", "both") and bool(self.cues)

    @property
    def soft(self) -> bool:
        """Whether captions are a track of their own."""
        return self.show in ("soft", "both") and bool(self.cues)

    def files(self) -> list[Path]:
        """Every file that is read."""
        found = [self.narration, *(scene.picture for scene in self.scenes)]
        found += [] if self.music is None else [self.music.file]
        return found + [path for path in (self.file, self.captions_file) if path is not None]


def read_timeline(path: Path) -> Timeline:
    """Read it, as JSON or YAML; files in it are relative to its folder.

    Raises:
        BadInput: it cannot be read, or something in it is wrong; the sentence says what.
    """
    return read_order(
        path,
        lambda fields: _timeline_of(fields, path.parent, path),
        called="timeline",
        page="timeline.md",
        form=FORMAT,
        most=_MOST_BYTES,
        parse=_parse_yaml if path.suffix.lower() in (".yaml", ".yml") else parse_json,
    )


def _timeline_of(fields: Fields, folder: Path, path: Path) -> Timeline:
    fields.only(_KEYS[""].split())
    width, height = _size(fields)
    fps = fields.whole("fps", least=1) if fields.has("fps") else 30
    if fps > 60:
        fields.refuse("fps", "must be at most 60")
    captions = _known(fields.mapping("captions"), "captions", "captions")
    show = captions.text("show", "burned")
    if show not in CAPTION_STYLES:
        captions.refuse("show", f"must be one of {', '.join(CAPTION_STYLES)}")
    captions_file = folder / _file(captions, "file") if captions.has("file") else None
    cues = _cues(captions, captions_file)
    return Timeline(
        width=width,
        height=height,
        fps=fps,
        narration=folder / _file(fields, "narration"),
        scenes=_scenes(fields, folder),
        cues=cues.cues,
        show=show,
        style=_style(captions),
        music=_music(fields, folder),
        loudness=_between(fields, "loudness", -14.0, -40.0, -8.0),
        poster=_between(fields, "poster", 0.0, 0.0, 1e6) if fields.has("poster") else None,
        title=_title(fields, "title"),
        file=path,
        captions_file=captions_file,
        mended_cues=cues.mended,
    )


def _parse_yaml(data: bytes) -> object:
    tree = read_yaml(data)
    if tree.flaws:
        raise ValueError(f"line {tree.flaws[0].line}: {tree.flaws[0].message}")
    return tree.root


def _known(value: object, kind: str, where: str) -> Fields:
    """Its fields, none of which has a name that says nothing. Raises InvalidRecord."""
    return Fields(value, where).only(_KEYS[kind].split())


def _objects(fields: Fields, field: str, where: str, most: int) -> list[Fields]:
    items = fields.items(field)
    if len(items) > most:
        fields.refuse(field, f"must hold at most {most} of them")
    return [_known(item, field, f"{where}{field}[{at}]") for at, item in enumerate(items)]


def _size(fields: Fields) -> tuple[int, int]:
    shape = fields.text("shape", "16:9")
    if shape not in SHAPES:
        fields.refuse("shape", f"must be one of {', '.join(SHAPES)}")
    if not fields.has("size"):
        return SHAPES[shape]
    size = fields.items("size")
    fits = len(size) == 2 and all(
        isinstance(side, int) and _LEAST_PIXELS <= side <= _MOST_PIXELS and side % 2 == 0 for side in size
    )
    if not fits:
        fields.refuse(
            "size", f"must be two even numbers of pixels, {_LEAST_PIXELS} to {_MOST_PIXELS}: [1280, 720]"
        )
    return size[0], size[1]


def _scenes(fields: Fields, folder: Path) -> tuple[Scene, ...]:
    usual = _between(fields, "fade", 0.5, 0.0, _LONGEST_FADE_S)
    found: list[Scene] = []
    for at, entry in enumerate(_objects(fields, "scenes", "", _MOST_SCENES)):
        start = _between(entry, "start", 0.0, 0.0, 1e6) if entry.has("start") or at == 0 else None
        if start is None:
            entry.refuse("start", "is missing; every scene but the first has one, in seconds")
        if at == 0 and start != 0.0:
            entry.refuse("start", "must be 0 in the first scene")
        if found and start <= found[-1].start:
            entry.refuse("start", "must be later than that of the scene before")
        fit = entry.text("fit", "cover")
        if fit not in FITS:
            entry.refuse("fit", f"must be one of {', '.join(FITS)}")
        fade = _between(entry, "fade", usual, 0.0, _LONGEST_FADE_S) if found else 0.0
        picture = folder / _file(entry, "picture")
        found.append(Scene(picture, start, _move(entry, at), fade, fit, _title(entry, "chapter")))
    if not found:
        fields.refuse("scenes", "must hold at least one")
    return tuple(found)


def _move(entry: Fields, at: int) -> KenBurns:
    if entry.has("from") or entry.has("to"):
        if entry.has("move"):
            entry.refuse("move", "stands beside from and to; give the name or the two")
        return KenBurns(_framing(entry, "from", at), _framing(entry, "to", at))
    found = named_move(entry.text("move", ""), at)
    if found is None:
        entry.refuse("move", f"must be one of {', '.join(MOVES)}, or give from and to")
    return found


def _framing(fields: Fields, field: str, at: int) -> Framing:
    inner = _known(fields.mapping(field), "framing", f"scenes[{at}].{field}")
    return Framing(
        _between(inner, "zoom", 1.0, 1.0, 4.0),
        _between(inner, "x", 0.5, 0.0, 1.0),
        _between(inner, "y", 0.5, 0.0, 1.0),
    )


def _style(captions: Fields) -> CaptionStyle:
    usual = USUAL_STYLE
    look = _LOOKS.get(captions.text("look", usual.look))
    if look is None:
        captions.refuse("look", f"must be one of {', '.join(_LOOKS)}")
    place = _PLACES.get(captions.text("place", usual.place))
    if place is None:
        captions.refuse("place", f"must be one of {', '.join(_PLACES)}")
    return CaptionStyle(look=look, place=place, size=_between(captions, "size", usual.size, 0.02, 0.2))


def _cues(captions: Fields, file: Path | None) -> CueFile:
    inline = _objects(captions, "cues", "captions.", _MOST_CUES)
    if inline and file is not None:
        captions.refuse("cues", "stand beside a file of captions; give one of the two")
    if file is not None:
        return read_cue_file(file)
    found: list[VideoCue] = []
    for at, entry in enumerate(inline):
        words = tuple(
            SpokenWord(word.number("start", least=0.0), word.number("end", least=0.0), word.text("text"))
            for word in _objects(entry, "words", f"captions.cues[{at}].", 1000)
        )
        cue = VideoCue(entry.number("start", least=0.0), entry.number("end"), entry.text("text"), words)
        trouble = cue.trouble(found[-1].end if found else 0.0)
        if trouble is not None:
            entry.refuse("start", f"belongs to a cue that {trouble}")
        found.append(cue)
    return CueFile(tuple(found), 0)


def _music(fields: Fields, folder: Path) -> Music | None:
    if not fields.has("music"):
        return None
    inner = _known(fields.mapping("music"), "music", "music")
    return Music(
        folder / _file(inner, "file"),
        _between(inner, "level", 10.0, 0.0, 60.0),
        _between(inner, "duck", 10.0, 0.0, 60.0),
        _between(inner, "fade", 2.0, 0.0, 30.0),
    )


def _file(fields: Fields, field: str) -> str:
    name = fields.text(field)
    if not is_file_name(name):
        fields.refuse(field, "must name a file, without control characters")
    return name


def is_file_name(name: str) -> bool:
    """Whether it may name a file: a line break would make several sentences of the one that tells of it."""
    return bool(name) and not any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in name)


def _title(fields: Fields, field: str) -> str:
    title = fields.text(field, "")
    trouble = title_trouble(title) if title else None
    if trouble is not None:
        fields.refuse(field, f"{trouble}".rstrip("."))
    return title


def _between(fields: Fields, field: str, usual: float, least: float, most: float) -> float:
    value = fields.number(field, usual)
    if not least <= value <= most:
        fields.refuse(field, f"must be a number from {least:g} to {most:g}")
    return value
