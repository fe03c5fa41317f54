"""What font files say of themselves, and where fonts come from."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import BadConfiguration, MissingExtra
from synth.typeset.font_file import BrokenFont, FontFace, read_faces
from synth.typeset.fonts import FontShelf, MissingLetters
from synth.typeset.letters import settable

SHELF = FontShelf(with_system=False)


def face(family: str) -> FontFace:
    assert SHELF.family_of("a", (family,)) == family
    return SHELF.upright(family)


def test_a_variable_font_has_its_axes_and_its_letters() -> None:
    inter = face("Inter")
    assert inter.weight == 400
    assert not inter.is_italic
    assert tuple(inter.axes["wght"]) == (100, 400, 900)
    # The last one is not assigned.
    assert [char for char in "éж日\u0378" if char in inter.coverage] == ["é", "ж"]


def test_a_collection_has_a_face_for_each_language() -> None:
    assert SHELF.family_of("日", ()) == "Noto Sans CJK JP"
    faces = read_faces(SHELF.upright("Noto Sans CJK JP").path)
    assert [one.family[-2:] for one in faces] == ["JP", "KR", "SC", "TC", "HK"]
    assert [one.index for one in faces] == [0, 1, 2, 3, 4]
    assert len(faces[0].coverage) == 44_810


def test_a_font_of_bitmaps_alone_is_passed_over(tmp_path: Path) -> None:
    """Emoji in colour for one, which Pillow opens at one size only."""
    whole = face("Space Grotesk").path.read_bytes()
    file = tmp_path / "bitmaps.ttf"
    file.write_bytes(whole.replace(b"glyf", b"CBDT", 1))
    with pytest.raises(BrokenFont, match="has no outlines"):
        read_faces(file)


def test_a_letter_that_a_font_has_in_parts_alone_is_one_that_it_has() -> None:
    assert SHELF.family_of("\u1e57\u0301", ("Inter",)) is not None


@pytest.mark.parametrize(
    "data", [b"", b"no font", b"OTTO", b"ttcf\0\1\0\0\0\0\0\1\0\0\xff\xff", b"\0\1\0\0\xff\xff"]
)
def test_what_is_no_font_is_said_so(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "broken.ttf"
    file.write_bytes(data)
    with pytest.raises(BrokenFont, match=r"broken\.ttf"):
        read_faces(file)
    with pytest.raises(BadConfiguration, match=r"CARD_FONTS names .*broken\.ttf"):
        FontShelf([file])


@given(at=st.integers(0, 4000), junk=st.binary(min_size=1, max_size=8))
def test_a_damaged_font_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes
) -> None:
    whole = face("Space Grotesk").path.read_bytes()
    file = tmp_path_factory.getbasetemp() / "damaged.ttf"
    # The directory of tables, and the one that lists the characters, which holds the most counts.
    count = struct.unpack_from(">H", whole, 4)[0]
    tables = [struct.unpack_from(">4sIII", whole, 12 + 16 * number) for number in range(count)]
    cmap = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    place = at if at < 300 else cmap + at - 300
    file.write_bytes(whole[:place] + junk + whole[place + len(junk) :])
    with suppress(BrokenFont):
        assert read_faces(file)


class TestASourceOfFonts:
    def test_a_folder_that_a_setting_names_is_used_for_letters_that_the_packages_lack(
        self, tmp_path: Path
    ) -> None:
        own = tmp_path / "own.ttf"
        own.write_bytes(face("Noto Sans Thai").path.read_bytes())
        bare = FontShelf(with_packages=False, with_system=False)
        assert bare.family_of("ก", ()) is None
        named = FontShelf([tmp_path], with_packages=False, with_system=False)
        assert named.family_of("ก", ()) == "Noto Sans Thai"
        assert named.families() == ["Noto Sans Thai"]

    def test_a_folder_without_fonts_is_no_source(self, tmp_path: Path) -> None:
        with pytest.raises(BadConfiguration, match="has no font"):
            FontShelf([tmp_path])


class TestLettersThatNoFontHas:
    def test_without_any_font_the_packages_are_named(self) -> None:
        with pytest.raises(MissingExtra, match=r"there is no font here.*images"):
            settable("a", FontShelf(with_packages=False, with_system=False), ())

    def test_letters_are_said_and_nothing_is_set(self) -> None:
        with pytest.raises(MissingLetters, match=r"No font here has 𓀀 \(U\+13000\); install a font package"):
            settable("bird 𓀀", SHELF, ("Inter",))

    def test_symbols_are_left_out_and_told(self) -> None:
        assert settable("to the moon 🚀 now", SHELF, ("Inter",)) == ("to the moon now", ["🚀"])

    def test_a_text_of_such_symbols_alone_has_nothing_to_set(self) -> None:
        with pytest.raises(MissingLetters, match="U\\+1F680"):
            settable("🚀", SHELF, ("Inter",))
