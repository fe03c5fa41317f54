"""Markup, pauses and the lexicon: what stays, in which form, and what is warned of."""

from __future__ import annotations

import pytest

from lib.textnorm import Lexicon, Normalized, normalize


def kinds(read: Normalized) -> list[str]:
    return [warning.kind for warning in read.warnings]


def test_phonemes_stay_as_they_are_without_a_warning() -> None:
    read = normalize("Say [Nguyen](/wˈɪn/) again, 5 times.")
    assert read.script == "Say [Nguyen](/wˈɪn/) again, five times."
    assert read.spoken == "Say Nguyen again, five times."
    assert read.warnings == ()


@pytest.mark.parametrize(
    ("written", "script"),
    [
        ("One. [pause 0.8s] Two.", "One. [pause 0.8s] Two."),
        ("One. [Pause 800 ms] Two.", "One. [pause 0.8s] Two."),
        ("One.[pause:1.50 s]Two.", "One. [pause 1.5s] Two."),
        ("One. [PAUSE 1s] Two.", "One. [pause 1s] Two."),
        ("One. [PAUSE 250 MS] Two.", "One. [pause 0.25s] Two."),
    ],
)
def test_a_pause_is_written_in_one_form(written: str, script: str) -> None:
    read = normalize(written)
    assert (read.script, read.spoken, kinds(read)) == (script, "One. Two.", [])


@pytest.mark.parametrize(("length", "bounded"), [("0s", "0.05s"), ("99s", "30s")])
def test_a_pause_out_of_bounds_is_bounded_with_a_warning(length: str, bounded: str) -> None:
    read = normalize(f"One. [pause {length}] Two.")
    assert f"[pause {bounded}]" in read.script
    assert kinds(read) == ["pause"]


def test_a_pause_is_among_the_changes_and_nothing_is_said_of_it() -> None:
    (change,) = normalize("One. [PAUSE 500ms] Two.").changes
    assert (change.kind, change.written, change.spoken, change.start) == ("pause", "[PAUSE 500ms]", "", 5)


@pytest.mark.parametrize(
    ("tag", "pause"),
    [
        ("<break time='1s'/>", "1"),
        ('<break time="250ms"/>', "0.25"),
        ("<break time='99s'/>", "30"),
        ("<break/>", "0.5"),
    ],
)
def test_a_break_of_ssml_is_told_how_to_be_written(tag: str, pause: str) -> None:
    (warning,) = normalize(f"One. {tag} Two.").warnings
    assert (warning.kind, warning.remedy) == ("markup", f"Write [pause {pause}s].")


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("He said 你好 twice.", "Chinese, Japanese or Korean"),
        ("He said さくら twice.", "Japanese"),
        ("He said 한국 twice.", "Korean"),
        ("He said Привет twice.", "Cyrillic"),
    ],
)
def test_letters_of_another_script_are_called_as_people_call_them(written: str, named: str) -> None:
    (warning,) = normalize(written).warnings
    assert named in warning.message


def test_a_pause_that_is_none_is_text_with_a_warning() -> None:
    read = normalize("One. [pause long] Two.")
    assert read.spoken == "One. pause long Two."
    assert kinds(read) == ["pause"]


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("[break]", "Write [pause 0.5s]."),
        ("[Break 800ms]", "Write [pause 0.8s]."),
        ("[silence 2s]", "Write [pause 2s]."),
        ("[wait 99]", "Write [pause 30s]."),
    ],
)
def test_a_pause_by_another_word_is_read_and_told_how_to_be_written(written: str, remedy: str) -> None:
    (warning,) = normalize(f"One. {written} Two.").warnings
    assert (warning.kind, warning.written, warning.remedy) == ("pause", written, remedy)


@pytest.mark.parametrize("written", ["[wait for it]", "[breakfast]", "[broken]"])
def test_words_in_brackets_are_no_pause(written: str) -> None:
    assert normalize(f"One {written} two.").warnings == ()


@pytest.mark.parametrize(
    ("address", "hints"), [("ooz", True), ("ˈuz", True), ("https://ouse.org", False), ("ouse.html", False)]
)
def test_an_address_like_a_saying_is_told_how_sounds_are_written(address: str, hints: bool) -> None:
    (warning,) = normalize(f"The [Ouse]({address}) rose.").warnings
    assert ("between slashes: [Ouse](/" in warning.remedy) is hints


def test_the_lexicon_comes_before_all_classes() -> None:
    read = normalize("SQL and NASA; Nguyen's 5.", lexicon=Lexicon({"SQL": "sequel", "nguyen": "/wˈɪn/"}))
    assert read.script == "sequel and NASA; [Nguyen](/wˈɪn/)'s five."
    assert read.spoken == "sequel and NASA; Nguyen's five."
    assert [(change.written, change.kind) for change in read.changes][:2] == [
        ("SQL", "lexicon"),
        ("Nguyen", "lexicon"),
    ]


def test_the_lexicon_knows_whole_words_and_case() -> None:
    lexicon = Lexicon({"US": "the states", "lead": "led"})
    assert normalize("us, bus, LEAD, leader", lexicon=lexicon).spoken == "us, bus, led, leader"


def test_the_lexicon_takes_words_with_signs_and_blanks() -> None:
    lexicon = Lexicon({"New York": "the city", "C++": "see plus", ".NET": "dot net"})
    read = normalize("New York, C++ and .NET.", lexicon=lexicon)
    assert read.spoken == "the city, see plus and dot net."


def test_a_respelling_is_not_read_again() -> None:
    assert normalize("UN", lexicon=Lexicon({"UN": "Mr. 5"})).spoken == "Mr. 5"


def test_headings_and_items_are_sentences_of_their_own() -> None:
    assert normalize("# The Lamp\nIt burned.").script == "The Lamp\n\nIt burned."
    assert normalize("- milk\n- eggs\n").script == "milk. eggs."


@pytest.mark.parametrize(
    "written",
    ["<b>Hi</b> there", "{{name}} went", "a * b", "2 foo* bars", "`code` here", "[map](http://x.org) here"],
)
def test_markup_is_warned_of(written: str) -> None:
    assert "markup" in kinds(normalize(written))


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("Das ist nicht die Antwort auf eine Frage, und wir sind auch nicht da.", "language"),
        ("Ce n'est pas la question que nous avons dans les mains, et il est tard.", "language"),
        ("Los perros y los gatos de la casa.", "language"),
        ("He said Привет to her.", "script"),
        ("Good ☂ day", "sign"),
        ("On 03/04/2021 we met.", "date"),
        ("On 3-4-2021 we met.", "date"),
        ("We met on 3/4, at noon.", "date"),
    ],
)
def test_what_is_not_read_well_is_warned_of_with_a_remedy(written: str, kind: str) -> None:
    found = [warning for warning in normalize(written).warnings if warning.kind == kind]
    assert len(found) == 1
    assert written[found[0].start : found[0].end] == found[0].written
    assert found[0].message.endswith(".")
    assert found[0].remedy


@pytest.mark.parametrize(
    "written",
    [
        "5 µm and π",
        "$5, 10% & more",
        "[word](/wˈɜːd/)",
        "Café, naïve, Zoë",
        "“Yes,” she said…",
        "Die, die, die, man!",
        "*Very* well, **truly well**, ***so*** and _quietly_.",
        "Maria de la Cruz sang.",
        "On 25/12 and 7/7/2007 he gave 3/4 of it.",
        "Me.",
        "When?",
        "A",
        "b",
    ],
)
def test_what_is_read_well_is_not_warned_of(written: str) -> None:
    assert normalize(written).warnings == ()


def test_lines_are_joined_and_paragraphs_parted() -> None:
    assert normalize("One\nline.\r\n\r\n \nTwo\tlines.\n").script == "One line.\n\nTwo lines."
    assert normalize("A lan-\ntern, a well-\nknown one.").script == "A lantern, a well-known one."
