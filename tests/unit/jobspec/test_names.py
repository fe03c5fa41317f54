"""Output names and request ids: nothing a caller names leaves its place (Q5)."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.jobspec import InvalidJobSpec, normalize_job_spec
from lib.jobspec.names import check_output_name, check_request_id, folded, folder_names
from lib.jobspec.problems import Refused
from tests.unit.jobspec.jobs import file_names, raw_job

NASTY = st.text(
    st.sampled_from("ab./\\:\0\n\r\t\x7f\u202e\u2028 ~-_é\u0301Å😀") | st.characters(), max_size=12
)


@given(name=NASTY)
@example(name="..")
@example(name="a/..")
@example(name="a/./b")
@example(name="\ud800")
def test_every_accepted_name_stays_in_its_place(name: str) -> None:
    """Q5."""
    try:
        check_output_name(name)
    except Refused:
        return
    for path in [*file_names(name, "flac"), *folder_names(name)]:
        parts = path.split("/")
        assert PurePosixPath("/out", path).parts == ("/", "out", *parts)
        assert not {"", ".", ".."} & set(parts)
        assert len(path.encode()) <= 512
        assert max(len(part.encode()) for part in parts) <= 180
        assert unicodedata.is_normalized("NFC", path)
        assert not {unicodedata.category(char) for char in path} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert not set(path) & set("\\:\0\n\r")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "is empty"),
        ("/a", "starts with /"),
        ("a/", "ends with /"),
        ("a//b", "empty segment"),
        (".", "the segment ."),
        ("..", "the segment .."),
        ("a/../b", "the segment .."),
        ("a:b", 'holds a ":"'),
        ("a\\b", "holds a backslash"),
        ("a\nb", "invisible character U+000A"),
        ("a\x00b", "invisible character U+0000"),
        ("a\x85b", "invisible character U+0085"),
        ("a\u2028b", "invisible character U+2028"),
        ("a\u202eb", "invisible character U+202E"),
        ("e\u0301", "normal form NFC"),
        ("manifest.json", "an output folder needs for itself"),
        ("Manifest.JSON/a", "an output folder needs for itself"),
        ("execution.json", "an output folder needs for itself"),
        (".job-runner/incoming/a", "an output folder needs for itself"),
        (".JOB-RUNNER", "an output folder needs for itself"),
        (".draft", "an output folder needs for itself"),
        (".compile/former", "an output folder needs for itself"),
        (".manifest.json.next", "an output folder needs for itself"),
        ("a/" + "b" * 168, "at most 158"),
        ("a" * 181 + "/b", "at most 180"),
        ("/".join(["a" * 100] * 5), "at most 512"),
    ],
)
def test_each_rule_of_output_names_has_its_sentence(name: str, said: str) -> None:
    """Q5."""
    with pytest.raises(InvalidJobSpec) as caught:
        normalize_job_spec(raw_job(output_name=name, request_id="id"))

    assert [problem.field for problem in caught.value.problems] == ["output_name"]
    assert said in caught.value.problems[0].message


@pytest.mark.parametrize(
    "name",
    ["manifest", "manifest.json.a", "a/manifest.json", "a/.job-runner/b", ".job-runner2", "job-runner"],
)
def test_a_name_that_only_resembles_a_kept_one_passes(name: str) -> None:
    """Q5."""
    assert check_output_name(name) == name


@pytest.mark.parametrize(
    "name", ["a", "topic/beat-001", "a/b/c/d/e", "...", "a..b", "öl/été", "潮", "-a", "a b", "a" * 158]
)
def test_ordinary_and_foreign_names_pass(name: str) -> None:
    """Q5."""
    assert check_output_name(name) == name


@pytest.mark.parametrize("name", ["a" * 180 + "/" + "b" * 158, "/".join(["a" * 97] * 5)])
def test_the_longest_names_leave_room_for_what_is_derived(name: str) -> None:
    """Q5."""
    assert max(len(path.encode()) for path in file_names(check_output_name(name), "flac")) <= 512


@pytest.mark.parametrize("request_id", ["", "-a", ".a", ":a", "a/b", "a b", "a\n", "é", "a" * 201, "a\0"])
def test_a_request_id_keeps_to_its_alphabet(request_id: str) -> None:
    """Q3."""
    with pytest.raises(Refused):
        check_request_id(request_id)


@pytest.mark.parametrize("request_id", ["a", "7", "a" * 200, "A.b_c:d~e-f"])
def test_a_request_id_of_its_alphabet_passes(request_id: str) -> None:
    """Q3."""
    assert check_request_id(request_id) == request_id


@given(name=st.text(max_size=10))
def test_folding_is_stable_and_blind_to_case_and_form(name: str) -> None:
    """Q7."""
    key = folded(name)

    assert folded(key) == key or folded(folded(key)) == folded(key)
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, name)) == key
    assert folded(name.swapcase()) == key or name.swapcase().casefold() != name.casefold()


@pytest.mark.parametrize("word", ["../../etc/passwd", "a b", "a\r\nX: y", "a/b", "a\x1b[31m", ""])
@pytest.mark.parametrize("field", ["voice", "speaker", "language"])
def test_no_name_of_a_voice_speaker_or_language_is_a_path_or_a_header(field: str, word: str) -> None:
    """Q5."""
    fields: dict[str, Any] = {"voice": ...} if field == "speaker" else {}
    with pytest.raises(InvalidJobSpec) as caught:
        normalize_job_spec(raw_job(**(fields | {field: word})))

    assert "\x1b" not in str(caught.value)
    assert "\r" not in str(caught.value)
