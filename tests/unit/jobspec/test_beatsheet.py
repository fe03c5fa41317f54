"""Beatsheets: the same door, the same strictness, and words that fit (Q1, Q15)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import BadInput
from lib.jobspec import InvalidJobFile, JobSpec, normalize_job_spec
from lib.jobspec.files.beatsheet import BEAT_KEYS, ROOT_KEYS, load_beatsheet, parse_beatsheet
from lib.jobspec.files.beatsheet_schema import beatsheet_schema

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs/reference"
VALIDATOR = jsonschema.Draft202012Validator(beatsheet_schema())


def sheet(*beats: Any, **root: Any) -> bytes:
    return json.dumps({"topic": "tides", "beats": list(beats), **root}, indent=1).encode()


def beat(**fields: Any) -> dict[str, Any]:
    return {"id": "beat-001", "text": "Hello.", **fields}


def specs(data: bytes, **flags: Any) -> tuple[JobSpec, ...]:
    return parse_beatsheet(data, name="tides.json", **({"voice": "newsroom"} | flags)).specs


def messages(data: bytes, **flags: Any) -> list[str]:
    with pytest.raises(InvalidJobFile) as caught:
        specs(data, **flags)
    return [str(problem) for problem in caught.value.problems]


def test_a_beat_becomes_the_job_that_the_one_door_makes_of_it() -> None:
    """Q1, Q15."""
    first, second = specs(
        sheet(beat(), {"id": "beat-002", "narration": "Bye.", "variants": 2, "callback_data": {"scene": 3}})
    )

    given_back = {"topic": "tides", "beat_id": "beat-001", "index": 0}
    assert first == normalize_job_spec(
        {
            "output_name": "tides/beat-001",
            "text": "Hello.",
            "voice": "newsroom",
            "callback_data": given_back,
        }
    )
    assert (second.request_id, second.text, second.variants) == ("tides:beat-002", "Bye.", 2)
    assert second.callback_data == {"scene": 3, "topic": "tides", "beat_id": "beat-002", "index": 1}


def test_a_topic_may_have_folders() -> None:
    assert specs(sheet(beat(), topic="course/tides"))[0].request_id == "course:tides:beat-001"


def test_who_is_named_in_a_beat_beats_who_speaks_the_sheet() -> None:
    found = specs(sheet(beat(), beat(id="b", speaker="Ryan"), beat(id="c", voice="other")), voice="newsroom")

    assert [(spec.voice, spec.speaker) for spec in found] == [
        ("newsroom", None),
        (None, "Ryan"),
        ("other", None),
    ]


def test_the_voice_of_the_command_line_beats_the_one_of_the_defaults() -> None:
    data = sheet(beat(), defaults={"speaker": "Ryan", "format": "mp3", "callback_data": {"course": "sea"}})

    spec = specs(data, voice="newsroom")[0]

    assert (spec.voice, spec.speaker, spec.format) == ("newsroom", None, "mp3")
    assert spec.callback_data["course"] == "sea"
    assert specs(data, voice=None)[0].speaker == "Ryan"


def test_a_beat_without_any_voice_is_a_problem_of_that_beat() -> None:
    (message,) = messages(sheet(beat(), beat(id="b", speaker="Ryan")), voice=None)

    assert message == (
        "tides.json:4: job beat-001: voice: is missing; "
        "name who speaks at the top of the sheet, in the beat, or with --voice"
    )


@pytest.mark.parametrize("flags", [{"voice": "a b"}, {"voice": "a", "speaker": "b"}, {"speaker": ""}])
def test_flags_that_cannot_be_used_are_refused(flags: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        parse_beatsheet(sheet(beat()), name="tides.json", **flags)


def test_all_problems_are_listed_at_once_each_with_file_line_beat_and_field() -> None:
    """Q15: as strict as the YAML."""
    data = b"""{"topic": "tides", "beets": 1,
 "beats": [
  {"id": "beat-001", "text": "Hello.", "voise": "newsroom"},
  {"id": "beat-001", "text": "Again."},
  {"id": "beat-003", "text": "Hello.", "narration": "Bye."},
  {"id": 4, "text": "Hello.", "text": "Twice."},
  {"text": true, "variants": "2"},
  {"id": "../up", "narration": "..."},
  {"id": "beat-008"},
  "beat-009"
 ]}"""

    assert messages(data) == [
        'tides.json:1: beets: is no known key of a beatsheet; did you mean "beats"?',
        'tides.json:3: job beat-001: voise: is no known field of a beat; did you mean "voice"?',
        'tides.json:4: job beat-001: id: "tides/beat-001" is also the output name of beat beat-001 in line 3',
        "tides.json:5: job beat-003: narration: stands beside text; exactly one of the two may be set",
        "tides.json:6: job number 4: text: stands twice in the same object, first in line 6",
        "tides.json:6: job number 4: id: must be text, not 4; put quotes around it",
        "tides.json:7: job number 5: id: is missing; every beat needs one, such as beat-001",
        "tides.json:7: job number 5: text: must be text, not true; put quotes around it",
        'tides.json:7: job number 5: variants: must be a whole number from 1 to 16, not "2"; '
        "leave the quotes away",
        'tides.json:8: job ../up: id: "../up" holds a /; the topic may have folders, an id may not',
        "tides.json:8: job ../up: narration: holds nothing to speak; write at least one letter or digit",
        "tides.json:9: job beat-008: text: is missing; write text or narration",
        'tides.json:10: job number 8: must be an object with id and text, not "beat-009"',
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[]", "which is no beatsheet"),
        (b"{}", "topic: is missing"),
        (b'{"topic": "a"}', "beats: is missing"),
        (sheet(), "beats: is empty"),
        (sheet(beat(), topic=3), "topic: must be text, not 3"),
        (sheet(beat(), topic="../up"), "it may not lead elsewhere"),
        (sheet(beat(), topic="How tides work"), "gives no request ids"),
        (sheet(beat(), topic="a" * 600), "topic:"),
        (sheet(beat(), text="x"), "put it under defaults, or into the beats"),
        (sheet(beat(output_name="x")), "is made of topic and id"),
        (sheet(beat(text_file="x.txt")), "may not stand in a beat"),
        (sheet(beat(callback_data={"index": 7})), "callback_data.index: is set by the beatsheet itself"),
        (sheet(beat(callback_data=[])), "callback_data: must be a mapping"),
        (sheet(beat(callback_data={"a": "b" * 65_500})), "at most 65536 are allowed"),
        (sheet(beat(), defaults={"id": "x"}), "defaults.id: is no known field"),
        (sheet(beat(), defaults={"text": "x"}), "may not stand in defaults"),
        (sheet(beat(), beat(id="BEAT-001")), "differs only by case"),
        (sheet(beat(voice="a", speaker="b")), "exactly one of the two"),
        (sheet(beat(id=".")), "id:"),
        (b'{"topic": "a", "beats": [,]}', "is no valid JSON"),
    ],
)
def test_each_break_of_a_rule_is_said(data: bytes, said: str) -> None:
    """Q15."""
    assert any(said in message for message in messages(data)), messages(data)


def test_a_wrong_topic_is_said_once_not_for_each_beat() -> None:
    assert len(messages(sheet(*(beat(id=f"b{n}") for n in range(50)), topic="How tides work"))) == 1


def test_a_topic_of_any_letters_is_fine_when_each_beat_has_its_own_request_id() -> None:
    found = specs(sheet(beat(request_id="tides-1"), topic="Wie Gezeiten gehen"))

    assert (found[0].request_id, found[0].output_name) == ("tides-1", "Wie Gezeiten gehen/beat-001")


def test_what_is_right_in_itself_is_kept_for_callers_with_rules_of_their_own() -> None:
    with pytest.raises(InvalidJobFile) as caught:
        specs(sheet(beat(), beat(id="b", text="")))

    assert [spec.request_id for spec in caught.value.sound.specs] == ["tides:beat-001"]


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidJobFile, match="No such file"):
        load_beatsheet(tmp_path / "none.json", voice="newsroom")


@given(data=st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(InvalidJobFile):
        parse_beatsheet(data, name="any.json", voice="newsroom")


LOOSE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 20),
    st.sampled_from(["wav", "high", "English", "newsroom", "Ryan", "Hello.", "a/b", "", "a\n", ".."]),
    st.lists(st.integers(), max_size=1),
    st.dictionaries(st.sampled_from("ab"), st.integers(), max_size=1),
)


@given(
    fields=st.dictionaries(
        st.sampled_from([key for key in BEAT_KEYS if key not in ("not_before", "output_name")]),
        LOOSE,
        max_size=4,
    )
)
def test_schema_and_validator_agree(fields: dict[str, Any]) -> None:
    """Q15: the documented schema is the one that validates."""
    raw = json.loads(sheet(beat(**fields)))
    try:
        specs(json.dumps(raw).encode())
        accepted = True
    except InvalidJobFile as error:
        beyond = ("nothing to speak", "NFC", "invisible", "name a voice")  # what a schema cannot say
        if all(any(word in str(problem) for word in beyond) for problem in error.problems):
            return
        accepted = False

    assert VALIDATOR.is_valid(raw) is accepted


def test_a_lexicon_is_refused_once_by_program_and_schema() -> None:
    data = sheet(beat(), beat(id="b2"), defaults={"lexicon": "words.txt"})

    with pytest.raises(InvalidJobFile) as caught:
        specs(data)

    (problem,) = caught.value.problems
    assert str(problem) == (
        "tides.json:14: defaults.lexicon: is not read beside a beatsheet; give the words under pronounce"
    )
    assert not VALIDATOR.is_valid(json.loads(data))
    assert VALIDATOR.is_valid(json.loads(sheet(beat(), defaults={"lexicon": None, "pronounce": {"A": "b"}})))


def test_the_schema_is_valid_and_is_the_one_in_the_reference() -> None:
    """Q15. When the fields change: python -m tests.unit.jobspec.test_beatsheet"""
    jsonschema.Draft202012Validator.check_schema(beatsheet_schema())

    stored = json.loads((REFERENCE / "beatsheet.schema.json").read_text(encoding="utf-8"))
    assert stored == beatsheet_schema()


def test_the_page_names_every_key_and_its_example_is_a_beatsheet() -> None:
    page = (REFERENCE / "beatsheet.md").read_text(encoding="utf-8")

    assert [key for key in (*ROOT_KEYS, "id", "narration") if f"`{key}`" not in page] == []
    example = page.partition("```json\n")[2].partition("```")[0]
    assert len(specs(example.encode())) == 3
    VALIDATOR.validate(json.loads(example))


def _write_schema() -> None:
    text = json.dumps(beatsheet_schema(), indent=2, ensure_ascii=False) + "\n"
    (REFERENCE / "beatsheet.schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write_schema()
