"""P32: a script is changed from how its lines are spoken by now, not from how it was handed in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lib.jobqueue import Changed
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.script_now import ScriptNow, script_now
from lib.jobspec import parse_any_file

BLOCK = """\
# The harbour, by Ann
defaults: {speaker: Ryan, speed: 1.1}
jobs:
  - output_name: h/one  # the first
    text: Ships come in.
  # the long one
  - output_name: h/two
    pronounce:
      harbour: harber
    # said slowly
    text: |
      The harbour: it sleeps.

  - {output_name: h/three, text: 'It''s late.', speed: 1.3}  # done
"""
SHEET = """\
{"topic": "h", "speaker": "Ryan", "beats": [
  {"id": "one", "text": "Ships come in."}, {"id": "two", "narration": "They go.", "speed": 1.2}]}
"""


def changed(script: str, number: int, **fields: Any) -> tuple[ScriptNow, Any]:
    queue = MemoryQueue()
    file = parse_any_file(script.encode(), name="h.yaml")
    now = replace(file.specs[number], **fields)
    queue.enqueue([*file.specs[:number], now, *file.specs[number + 1 :]], changed=Changed.REFUSE)
    found = script_now(queue, script.encode(), file.specs, name="h.yaml")
    read = parse_any_file(found.data, name="h.yaml").specs
    if not found.apart:
        assert (read[number].fingerprint, found.put) == (now.fingerprint, (now.request_id,))
    return found, read


@pytest.mark.parametrize(
    ("number", "fields", "line"),
    [
        (0, {"text": "Boats come in."}, "    text: Boats come in."),
        (0, {"text": 'He: "no" # yes'}, '    text: "He: \\"no\\" # yes"'),
        (0, {"speed": 1.0}, "  - speed: 1.0"),
        (0, {"speaker": None, "voice": "ann"}, "    voice: ann"),
        (1, {"text": "A harbour: it wakes.\n\nIt stirs."}, "      A harbour: it wakes."),
        (1, {"pronounce": {"harbour": "haven"}}, '      {"harbour": "haven"}'),
        (2, {"text": "It's early."}, "  - {output_name: h/three, text: 'It''s early.', speed: 1.3}  # done"),
        (2, {"seed": 7, "variants": 2}, None),
    ],
)
def test_a_line_is_put_in_where_it_stands(number: int, fields: dict[str, Any], line: str | None) -> None:
    found, _ = changed(BLOCK, number, **fields)
    lines = found.data.decode().splitlines()
    assert found.apart == ()
    assert line is None or line in lines
    comments = [each for each in BLOCK.splitlines() if "#" in each and "text" not in each]
    assert [each for each in comments if each.partition("#")[2] not in found.data.decode()] == []
    untouched = [each for each in BLOCK.splitlines() if each not in lines]
    assert len(untouched) <= 2


def test_a_beatsheet_stays_one() -> None:
    found, read = changed(SHEET, 1, text="They come: again.", speed=1.0)
    assert '"narration": "They come: again.", "speed": 1.0' in found.data.decode()
    assert read[0].text == "Ships come in."


def test_what_cannot_be_put_in_stands_apart_and_the_file_stays() -> None:
    text = BLOCK.replace("speed: 1.1}", "pronounce: {Ships: sheeps}}")
    found, _ = changed(text, 0, pronounce={})  # words of the defaults count for every line
    assert (found.data, found.put, found.apart) == (text.encode(), (), ("h:one",))


def test_one_that_stands_apart_keeps_no_other_out() -> None:
    text = BLOCK.replace("speed: 1.1}", "pronounce: {Ships: sheeps}}")
    queue, file = MemoryQueue(), parse_any_file(text.encode(), name="h.yaml")
    one, two, three = file.specs
    queue.enqueue([replace(one, pronounce={}), two, replace(three, text="Now.")], changed=Changed.REFUSE)
    found = script_now(queue, text.encode(), file.specs, name="h.yaml")
    assert (found.put, found.apart) == (("h:three",), ("h:one",))
