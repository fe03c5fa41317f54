"""Kinds of jobs, how words are said, and fields that nothing uses yet: refused with their own sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.jobspec import (
    NOT_YET,
    SAMPLE_RATES,
    InvalidJobFile,
    InvalidJobSpec,
    JobSpec,
    from_payload,
    normalize_job_spec,
    parse_job_file,
    to_payload,
)
from lib.jobspec.fields import FIELDS
from lib.jobspec.kinds import KINDS
from tests.unit.jobspec.jobs import raw_job

RIVERS = "Ouse, Cam and Tees."
RANGES = {
    "speed": (0.5, 2.0),
    "loudness": (-40.0, -8.0),
    "gap_after": (0.0, 60.0),
}


@pytest.fixture
def switched_on(tmp_path: Path) -> Path:
    """Returns the folder of text files."""
    (tmp_path / "words.txt").write_text("# rivers\nOuse: ooz\n\nCam : /kæm/\n")
    return tmp_path


def problems(raw: dict[str, Any], defaults: Any = None, base_dir: Path | None = None) -> list[str]:
    with pytest.raises(InvalidJobSpec) as caught:
        normalize_job_spec(raw, defaults, base_dir=base_dir)
    return [f"{problem.field}: {problem.message}" for problem in caught.value.problems]


def image(**fields: Any) -> dict[str, Any]:
    return {"output_name": "topic/picture", "kind": "image", "prompt": "A pier."} | fields


class TestAFieldThatNothingUsesYet:
    """There is none at present."""

    @pytest.fixture(autouse=True)
    def unused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(NOT_YET, "speed", "is not followed yet")

    def test_is_refused_with_its_own_sentence(self) -> None:
        """Q3."""
        assert problems(raw_job(speed=1.5)) == ["speed: is not followed yet"]
        assert problems(raw_job(), {"speed": 1.5}) == ["defaults.speed: is not followed yet"]

    def test_may_be_null(self) -> None:
        assert normalize_job_spec(raw_job(speed=None)) == normalize_job_spec(raw_job())


class TestFields:
    @pytest.mark.parametrize(("field", "ends"), RANGES.items())
    def test_have_their_ranges(self, switched_on: Path, field: str, ends: tuple[float, float]) -> None:
        low, high = ends

        for end in ends:
            assert getattr(normalize_job_spec(raw_job(**{field: end})), field) == end
        for value in (low - 0.01, high + 0.01, float("nan"), True, "1"):
            assert "must be a" in problems(raw_job(**{field: value}))[0]

    @pytest.mark.parametrize("rate", SAMPLE_RATES)
    def test_a_sample_rate_is_one_that_every_format_has(self, rate: int) -> None:
        """V9."""
        spec = normalize_job_spec(raw_job(sample_rate=rate))

        assert spec.sample_rate == rate
        assert from_payload(to_payload(spec)) == spec
        assert normalize_job_spec(raw_job(sample_rate=float(rate))) == spec

    @pytest.mark.parametrize("rate", [44_100, 47_999, 0, -48_000, True, "48000", 48_000.5, float("nan")])
    def test_another_sample_rate_is_refused(self, rate: object) -> None:
        assert "must be 8000, 12000, 16000, 24000 or 48000" in problems(raw_job(sample_rate=rate))[0]


class TestPronunciation:
    def test_of_a_job_beats_the_defaults_which_beat_the_lexicon(self, switched_on: Path) -> None:
        """V16."""
        defaults = {"lexicon": "words.txt", "pronounce": {"Cam": "cam", "Tees": "teez"}}

        raw = raw_job(text=RIVERS, pronounce={"Tees": "tease"})

        spec = normalize_job_spec(raw, defaults, base_dir=switched_on)

        assert spec.pronounce == {"Ouse": "ooz", "Cam": "cam", "Tees": "tease"}

    def test_decides_the_fingerprint_by_what_it_says_not_by_where(self, switched_on: Path) -> None:
        """Q3: a lexicon counts by its content."""
        raw = raw_job(text=RIVERS, lexicon="words.txt")
        in_file = normalize_job_spec(raw, base_dir=switched_on)
        in_job = normalize_job_spec(raw_job(text=RIVERS, pronounce={"Cam": "/kæm/", "Ouse": "ooz"}))
        (switched_on / "words.txt").write_text("Ouse: ooze\nCam: /kæm/\n")
        changed = normalize_job_spec(raw, base_dir=switched_on)

        assert in_file.pronounce == in_job.pronounce
        assert (
            in_file.fingerprint == in_job.fingerprint != normalize_job_spec(raw_job(text=RIVERS)).fingerprint
        )
        assert changed.fingerprint != in_file.fingerprint

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("Ouse ooz", '"words.txt" line 1 is no entry'),
            ("a: b\na: c", '"words.txt" line 2 says "a" a second time'),
            ("Ouse:", "must be 1 to 200 characters"),
            (": ooz", "is no word"),
            ('"Ouse": ooz', '"words.txt" line 1 has quotes'),
            ("\n".join(f"w{n}: {'x' * 190}" for n in range(400)), "at most 65536 are allowed"),
        ],
    )
    def test_in_a_file_is_read_strictly(self, switched_on: Path, content: str, sentence: str) -> None:
        (switched_on / "words.txt").write_text(content)

        assert sentence in problems(raw_job(lexicon="words.txt"), base_dir=switched_on)[0]

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [("../words.txt", "leads out of"), ("none.txt", "does not exist"), ("/words.txt", "is absolute")],
    )
    def test_is_read_from_the_yamls_folder_only(self, switched_on: Path, name: str, sentence: str) -> None:
        assert sentence in problems(raw_job(lexicon=name), base_dir=switched_on)[0]
        assert "where files have no folder" in problems(raw_job(lexicon="words.txt"))[0]

    def test_of_a_job_is_that_of_the_words_in_its_text(self, switched_on: Path) -> None:
        """A changed line of a lexicon makes no other job of those that have not the word."""
        defaults = {"lexicon": "words.txt", "pronounce": {"tees": "teez", "see": "sea"}}

        def asked(text: str) -> JobSpec:
            return normalize_job_spec(raw_job(text=text), defaults, base_dir=switched_on)

        none, one, other = (
            asked("The Ouses."),
            asked("The Ouse\u2019s mouth, CAM."),
            asked("At [TEES](/tˈi/)."),
        )
        (switched_on / "words.txt").write_text("Ouse: ooz\nCam: /kæmz/\n")

        assert (none.pronounce, one.pronounce) == ({}, {"Ouse": "ooz"})
        assert other.pronounce == {"tees": "teez"}
        assert none.fingerprint == normalize_job_spec(raw_job(text="The Ouses.")).fingerprint
        assert asked("The Ouse\u2019s mouth, CAM.").fingerprint == one.fingerprint
        assert from_payload(to_payload(one)) == one
        assert {type(value.pronounce) for value in (none, one, from_payload(to_payload(one)))} == {dict}

    def test_of_a_job_that_was_enqueued_with_more_words_stays(self) -> None:
        """The version before carried the whole lexicon, and its fingerprint counted it."""
        stored = to_payload(normalize_job_spec(raw_job())) | {"pronounce": {"Ouse": "ooz"}}

        assert to_payload(from_payload(stored)) == stored

    def test_of_a_lexicon_that_grew_too_large_is_refused_each_time(self, switched_on: Path) -> None:
        (switched_on / "words.txt").write_text("\n".join(f"w{n}: {'x' * 190}" for n in range(400)))
        found = [problems(raw_job(lexicon="words.txt"), base_dir=switched_on) for _ in range(2)]

        assert found[0] == found[1] != []

    def test_of_a_lexicon_in_the_defaults_is_told_once(self, switched_on: Path) -> None:
        jobs = "".join(f"- {{output_name: a{n}, text: Hi}}\n" for n in range(3))
        own = "- {output_name: b, text: Hi, lexicon: other.txt}\n"
        text = f"defaults:\n  speaker: Ryan\n  lexicon: none.txt\njobs:\n{jobs}{own}"

        with pytest.raises(InvalidJobFile) as caught:
            parse_job_file(text.encode(), name="jobs.yaml", base_dir=switched_on)

        assert [str(problem) for problem in caught.value.problems] == [
            'jobs.yaml:3: defaults.lexicon: "none.txt" does not exist',
            'jobs.yaml:8: job b: lexicon: "other.txt" does not exist',
        ]

    def test_of_a_lexicon_is_the_same_in_another_order_of_its_lines(self, switched_on: Path) -> None:
        """V16: one changed line asks for other output."""
        raw = raw_job(text=RIVERS, lexicon="words.txt")
        kept = normalize_job_spec(raw, base_dir=switched_on).fingerprint
        (switched_on / "words.txt").write_text("Cam: /kæm/\n# rivers\nOuse: ooz\n")
        ordered = normalize_job_spec(raw, base_dir=switched_on).fingerprint
        (switched_on / "words.txt").write_text("Cam: /kæmz/\nOuse: ooz\n")
        changed = normalize_job_spec(raw, base_dir=switched_on).fingerprint

        assert kept == ordered != changed

    @pytest.mark.parametrize(
        "fields",
        [{"pronounce": {}}, {"speed": 1.0}, {"speed": None}, {"loudness": None}, {"sample_rate": None}],
    )
    def test_that_changes_nothing_leaves_the_fingerprint_as_it_was(self, fields: dict[str, Any]) -> None:
        """Q9: a field that came later causes no conflicts."""
        assert normalize_job_spec(raw_job(**fields)).fingerprint == normalize_job_spec(raw_job()).fingerprint

    @pytest.mark.parametrize(
        "fields", [{"pronounce": {"cam": "b"}}, {"speed": 1.1}, {"loudness": -16}, {"sample_rate": 48_000}]
    )
    def test_that_changes_the_audio_changes_the_fingerprint(self, fields: dict[str, Any]) -> None:
        plain = normalize_job_spec(raw_job(text=RIVERS))

        assert normalize_job_spec(raw_job(text=RIVERS, **fields)).fingerprint != plain.fingerprint

    @pytest.mark.parametrize(
        ("saying", "sentence"),
        [
            ("/kæm", "begins with / and is not phonemes between two of them"),
            ("/", "begins with /"),
            ("//", "begins with /"),
            ("/ /", "begins with /"),
            ("/a/b/", "begins with /"),
            ("[ooz]", 'has "[]", which nobody can say'),
            ("ooz_2 = x", 'has "_=", which nobody can say'),
            ("ˈuz", 'has "ˈ", which nobody can say'),
            ("…", 'has "…"'),
            ("!", "holds nothing to say"),
        ],
    )
    def test_that_cannot_be_said_is_refused_with_the_page(self, saying: str, sentence: str) -> None:
        with pytest.raises(InvalidJobSpec) as caught:
            normalize_job_spec(raw_job(pronounce={"Ouse": saying}))

        [problem] = caught.value.problems
        assert (problem.field, sentence in problem.message) == ("pronounce.Ouse", True)
        if "nothing to say" not in sentence:
            assert "docs/reference/pronunciation.md" in (problem.suggestion or "")

    @pytest.mark.parametrize("word", ["[Ouse]", "(a)", "...", "a\nb"])
    def test_is_of_words_only(self, word: str) -> None:
        assert "is no word" in problems(raw_job(pronounce={word: "ooz"}))[0]

    @pytest.mark.parametrize("value", ["ooz", {"": "x"}, {"Ouse": ""}, {"Ouse": 5}, {3: "x"}, {"a": ["x"]}])
    def test_is_a_mapping_of_texts(self, value: object) -> None:
        assert problems(raw_job(pronounce=value))[0].startswith("pronounce")


class TestKinds:
    def test_a_video_is_no_job_of_its_own_and_is_asked_for_nothing_more(self) -> None:
        """Q3: who asks for one is told what makes it."""
        told = problems({"output_name": "a", "kind": "video"})
        by_default = problems({"output_name": "a"}, {"kind": "video"})

        assert told == [f"kind: {KINDS['video'].refused}"]
        assert by_default == [f"defaults.kind: {KINDS['video'].refused}"]
        assert "use video-synth assemble or job-pipeline" in told[0]

    def test_a_misspelt_kind_is_checked_as_speech(self) -> None:
        assert {told.split(":")[0] for told in problems({"output_name": "a", "kind": "sing"})} == {
            *("kind", "voice", "text")
        }

    def test_a_picture_needs_a_prompt_and_no_voice(self, switched_on: Path) -> None:
        spec = normalize_job_spec(image(width=640, seed=4))

        assert (spec.kind, spec.prompt, spec.voice, spec.text) == ("image", "A pier.", None, "")
        assert from_payload(to_payload(spec)) == spec
        assert problems({"output_name": "a", "kind": "image"}) == [
            "prompt: is missing; say what the picture shows"
        ]

    def test_a_default_for_speech_does_not_count_for_a_picture(self, switched_on: Path) -> None:
        defaults = {"voice": "newsroom", "format": "flac", "width": 640}

        assert normalize_job_spec(image(), defaults).voice is None
        assert normalize_job_spec(raw_job(), defaults).width is None

    def test_a_field_of_another_kind_is_refused_in_the_job_itself(self, switched_on: Path) -> None:
        assert problems(image(voice="newsroom", text="Hello.")) == [
            "text: does not belong to a job of this kind",
            "voice: does not belong to a job of this kind",
        ]
        assert problems(raw_job(prompt="A pier.")) == ["prompt: does not belong to a job of this kind"]

    def test_own_only_fields_that_there_are(self) -> None:
        owned = frozenset[str]().union(*(kind.own for kind in KINDS.values()))

        assert owned < set(FIELDS)
        assert not owned & {"output_name", "request_id", "kind", "seed", "priority", "callback_data", "batch"}


def test_a_batch_is_a_name_that_changes_no_output() -> None:
    """Q3: it groups jobs for a cap on their costs."""
    spec = normalize_job_spec(raw_job(batch="night-1"))

    assert spec.batch == "night-1"
    assert to_payload(spec)["batch"] == "night-1"
    assert spec.fingerprint == normalize_job_spec(raw_job()).fingerprint


def test_each_field_of_the_table_has_a_place_in_a_job() -> None:
    assert set(NOT_YET) <= set(FIELDS)
    assert {name for name, field in FIELDS.items() if field.stored} <= set(JobSpec.__slots__)


def test_a_word_that_stands_twice_but_for_blanks_is_refused() -> None:
    (problem,) = problems(raw_job(pronounce={"Ouse": "ooz", "Ouse ": "uzz"}))

    assert '"Ouse" stands twice' in problem
