"""Which fonts there are, which of them has a text's letters, and fonts opened at a size.

Sources, in this order: font packages beside this program (the group `fontpkg.family` of entry points, and
the one package of Chinese, Japanese and Korean), the files and folders that a setting names, the fonts of
the system. A file is read when the ones before it lack a letter, so that most texts read two or three.
"""

from __future__ import annotations

import hashlib
import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path
from typing import Final

from PIL import ImageFont, features

from lib.errors import BadConfiguration, BadInput
from synth.typeset.font_file import BrokenFont, FontFace, read_faces

_GROUP: Final = "fontpkg.family"
#: Packages without entry points whose folder holds fonts.
_PLAIN_PACKAGES: Final = ("manimgx_fonts_cjk",)
_ENDINGS: Final = frozenset((".ttf", ".otf", ".ttc", ".otc"))
_MOST_FILES: Final = 5000  # of a folder; a system with every font of Noto has 2,000
_MOST_SIZES: Final = 512
_SYSTEM: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
)
#: Families that every text may fall back on, before all others: the widest, and even in weight.
_WIDE: Final = ("Noto Sans", "Noto Serif")


class MissingLetters(BadInput):
    """No font has some letters of a text; nothing was drawn."""

    def __init__(self, letters: Sequence[str]) -> None:
        shown = ", ".join(map(_named, letters[:3]))
        more = f" and {len(letters) - 3} more" if len(letters) > 3 else ""
        super().__init__(
            f"No font here has {shown}{more}; install a font package that has them, or name a font file in "
            "CARD_FONTS."
        )
        self.letters = tuple(letters)


def _named(letter: str) -> str:
    codes = " ".join(f"U+{ord(char):04X}" for char in letter)
    return f"{letter} ({codes})" if letter.isprintable() else codes


@lru_cache(maxsize=1)
def has_shaping() -> bool:
    """Whether Pillow joins and reorders letters, which it does with the system's library FriBidi alone."""
    return bool(features.check_feature("raqm") and features.check_feature("fribidi"))


class FontShelf:
    """Fonts by family and by the letters that they have. Threads: one at a time."""

    def __init__(
        self, further: Sequence[Path] = (), *, with_packages: bool = True, with_system: bool = True
    ) -> None:
        """Raises `BadConfiguration` where a path of `further` is not there or has no font."""
        named = [file for path in further for file in _named_files(path)]
        parts = [_package_files() if with_packages else (), named, _system_files() if with_system else ()]
        self._unread = [file for part in parts for file in part]
        self._unread.reverse()
        self._families: dict[str, list[FontFace]] = {}
        self._found: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._sized: dict[tuple[Path, int, float, int, float], ImageFont.FreeTypeFont] = {}

    def family_of(self, letters: str, families: Sequence[str]) -> str | None:
        """The first family that has all of `letters`: of `families`, then of all. None: there is none."""
        key = (letters, tuple(families))
        if key not in self._found:
            if len(self._found) > 50_000:
                self._found.clear()  # a worker that runs for weeks
            self._found[key] = next(self._with(letters, families), None)
        return self._found[key]

    @property
    def is_empty(self) -> bool:
        """Whether there is no font at all."""
        return not self._unread and not self._families

    def families(self) -> list[str]:
        """Every family, in the order in which letters are looked for."""
        while self._unread:
            self._read_next()
        return list(self._families)

    def font(self, family: str, size: float, weight: int, optical: float = 28.0) -> ImageFont.FreeTypeFont:
        """A family's upright face at `size` pixels, as near to `weight` and optical size as it has."""
        face = self.upright(family, weight)
        key = (face.path, face.index, size, weight, optical)
        if key not in self._sized:
            if len(self._sized) >= _MOST_SIZES:
                self._sized.pop(next(iter(self._sized)))
            self._sized[key] = _opened(face, size, weight, optical)
        return self._sized[key]

    def upright(self, family: str, weight: int = 400) -> FontFace:
        """The upright face of a family that `family_of` gave, as near to `weight` as it has."""
        return min(
            self._families[family], key=lambda face: (face.is_italic, _distance(face, weight), face.index)
        )

    def _with(self, letters: str, families: Sequence[str]) -> Iterator[str]:
        for family in (*families, *_WIDE):
            if self._has_family(family) and self._has(family, letters):
                yield family
        tried = 0
        while True:
            known = list(self._families)
            yield from (family for family in known[tried:] if self._has(family, letters))
            tried = len(known)
            if not self._unread:
                return
            self._read_next()

    def _has_family(self, family: str) -> bool:
        """Reads files that say so by their name, and no others."""
        if family not in self._families:
            stem = family.replace(" ", "").casefold()
            for path in [path for path in self._unread if path.name.casefold().startswith(_file_stem(stem))]:
                self._unread.remove(path)
                self._read(path)
        return family in self._families

    def _has(self, family: str, letters: str) -> bool:
        faces = [face for face in self._families[family] if not face.is_italic]
        return bool(faces) and all(_has_letter(faces[0], char) for char in letters)

    def _read_next(self) -> None:
        self._read(self._unread.pop())

    def _read(self, path: Path) -> None:
        try:
            faces = read_faces(path)
        except BrokenFont:
            return  # one of the system's files; a named one was looked at when it was named
        for face in faces:
            self._families.setdefault(face.family, []).append(face)


def _file_stem(family: str) -> str:
    """Noto Sans CJK JP and its sisters stand in one file."""
    return family.partition("cjk")[0] + "cjk" if "cjk" in family else family


def _has_letter(face: FontFace, char: str) -> bool:
    """HarfBuzz puts a letter together from its parts where a font has only those."""
    if char in face.coverage:
        return True
    parts = unicodedata.normalize("NFD", char)
    return parts != char and all(part in face.coverage for part in parts)


def _distance(face: FontFace, weight: int) -> float:
    least, _, most = face.axes.get("wght", (face.weight, face.weight, face.weight))
    return max(least - weight, weight - most, 0)


def _opened(face: FontFace, size: float, weight: int, optical: float) -> ImageFont.FreeTypeFont:
    try:
        font = ImageFont.truetype(str(face.path), size, face.index)
        if face.axes:
            wanted = {"wght": float(weight), "opsz": optical}
            axes = [
                min(max(wanted.get(tag, usual), least), most)
                for tag, (least, usual, most) in face.axes.items()
            ]
            font.set_variation_by_axes(axes)
    except (OSError, ValueError) as error:
        raise BadConfiguration(f"The font {face.path.name} cannot be opened: {error}.") from error
    return font


def font_digest(path: Path) -> str:
    """The sha256 of a font's file. Raises `BadConfiguration`."""
    try:
        return _digest(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise BadConfiguration(f"The font {path.name} cannot be read: {error.strerror}.") from None


@lru_cache(maxsize=256)
def _digest(path: Path, changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _package_files() -> list[Path]:
    folders = []
    for entry in sorted(metadata.entry_points(group=_GROUP), key=lambda entry: entry.name):
        folders.append(entry.value.partition(":")[0])
    found = []
    for name in (*folders, *_PLAIN_PACKAGES):
        spec = util.find_spec(name) if name.isidentifier() else None
        for place in (spec.submodule_search_locations or ()) if spec else ():
            found += _files_in(Path(place))
    return found


def _named_files(path: Path) -> list[Path]:
    if path.is_dir():
        files = _files_in(path)
        if not files:
            raise BadConfiguration(
                f"CARD_FONTS names the folder {path}, which has no font (.ttf, .otf, .ttc)."
            )
        return files
    try:
        read_faces(path)
    except BrokenFont as error:
        raise BadConfiguration(
            f"CARD_FONTS names {path}, which is no font that can be read ({error})."
        ) from None
    return [path]


@lru_cache(maxsize=1)
def _system_files() -> tuple[Path, ...]:
    folders = [Path(os.path.expanduser(folder)) for folder in _SYSTEM]
    if sys.platform == "win32":
        folders = [Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts"]
    return tuple(file for folder in folders for file in _files_in(folder))


@lru_cache(maxsize=64)
def _files_in(folder: Path) -> list[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [Path(place, name) for name in sorted(names) if Path(name).suffix.lower() in _ENDINGS]
        if len(found) > _MOST_FILES:
            break
    return found[:_MOST_FILES]
