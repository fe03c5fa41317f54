"""What was sent and what was heard are compared as sounds (V6): spelling does not count, words do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synth.verify import alignment
from synth.verify.alignment import aligned_sounds
from synth.verify.comparison import Comparison, HeardWord, compare
from synth.verify.judgement import agreed, miscounted, passes, verdict_of
from synth.verify.port import Verdict
from synth.verify.sounds import EnglishSounds

READER = EnglishSounds()
MANY = 5_000 if os.environ.get("JOB_RUNNER_SOAK") else 300


def heard(text: str, each_s: float = 0.5) -> list[HeardWord]:
    """The words of a text, each so long."""
    return [HeardWord(word, each_s * at, each_s * (at + 1)) for at, word in enumerate(text.split())]


def compared(sent: str, said: str) -> Comparison:
    return compare([sent], heard(said), READER)[0]


def judged(sent: str, said: str) -> Verdict:
    return verdict_of([compared(sent, said)], "ears")


class TestSpellingDoesNotCount:
    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            ("Doctor Smith paid forty two dollars and fifty cents.", "Dr. Smith paid $42.50."),
            ("His daughter Elizabeth the first ruled for long.", "His daughter Elizabeth I ruled for long."),
            (
                "It opens at half past six on the third of May.",
                "it opens at half-past six, on the third of may",
            ),
            ("The queue is by the colour centre.", "The cue is by the color center."),
            ("The [Ouse](/ˈuz/) froze.", "The ooze froze."),
            ("Their ice cream, well known.", "There icecream wellknown."),
        ],
    )
    def test_of_words_that_sound_alike(self, sent: str, said: str) -> None:
        assert compared(sent, said).errors <= 0.5
        assert judged(sent, said).ok

    def test_nor_stress_and_taps(self) -> None:
        (word,) = READER.sent("[city](/ˈsɪɾi/)")
        assert word.sounds == READER.sent("[city](/sɪˈti/)")[0].sounds


class TestWordsDo:
    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ("The ferry left before dawn", "not heard: 'the harbour'"),
            ("The ferry left the harbour before", "not heard: 'dawn'"),
            ("The ferry left the harbour before dawn and sank", "heard beside the text: 'and sank'"),
            ("The ferry left the station before dawn", "'harbour' was heard as 'station'"),
            ("", "not heard: 'The ferry left the harbour before dawn'"),
        ],
    )
    def test_of_what_is_lost_put_in_or_said_otherwise(self, said: str, why: str) -> None:
        verdict = judged("The ferry left the harbour before dawn.", said)
        assert not verdict.ok
        assert why in verdict.why

    def test_a_sound_or_two_of_a_short_text_are_no_evidence(self) -> None:
        assert judged("Me.", "May.").ok
        assert judged("Are you sure? she asked.", "Are you sure if she asked?").ok
        assert not judged("No.", "").ok
        assert not judged("Me.", "Tomorrow.").ok

    def test_a_repeat_is_one_too_many(self) -> None:
        text = "Nobody saw it go."
        assert not judged(text, f"{text} {text}").ok

    def test_of_a_long_text_the_worst_stretch_counts(self) -> None:
        good = compared("One fine day. " * 50, "One fine day. " * 50)
        verdict = verdict_of([good, compared("The end of it.", "The beginning."), good], "ears")
        assert not verdict.ok
        assert verdict.score < 0.05
        assert verdict.wrong_stretches == (1,)

    def test_the_verdict_says_what_heard_it(self) -> None:
        assert judged("Yes.", "Yes.").recognizer == "ears"


class TestAWordThatIsSaidManyTimes:
    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            ("Ha ha ha.", "have a great time"),
            ("Ha, ha, ha!", ""),
            ("Don't, don't, don't!", "go on and on"),
            ("Card four, one one one, one one one.", "card four one one one one one one one one one"),
            ("Card four, one one one, one one one.", "card four" + " one" * 100),
            ("Card four, one one one, one one one.", "card four one one"),
        ],
    )
    def test_is_not_counted_by_a_recogniser(self, sent: str, said: str) -> None:
        assert not passes(compared(sent, said))
        assert miscounted(compared(sent, said), sent)

    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            ("Ha ha ha, she said, and left the room.", "ha ha ha she said"),
            ("Card four, one one one.", "card four one one one the boat was gone"),
            ("No, no, no, the boat is gone.", "the coat was red"),
            ("No, no, no. I have no money and no home.", "no no no I have money and home"),
            ("Ha ha.", "have a great time"),
            ("Stop the car, then stop again, then stop.", "stop the car"),
        ],
    )
    def test_but_what_is_wrong_beside_it_is(self, sent: str, said: str) -> None:
        assert not miscounted(compared(sent, said), sent)

    def test_nor_is_anything_said_of_what_was_heard_right(self) -> None:
        assert not miscounted(compared("Ha ha ha.", "ha ha ha"), "Ha ha ha.")


class TestSeveralInOneWindow:
    def test_each_has_its_own_words(self) -> None:
        found = compare(["Yes.", "Nobody came.", "Stop."], heard("Yes nobody came stop"), READER)
        assert [each.errors for each in found] == [0, 0, 0]
        assert [[word.text for word in each.words] for each in found] == [
            ["Yes"],
            ["Nobody", "came"],
            ["Stop"],
        ]

    def test_what_is_heard_between_two_counts_for_both(self) -> None:
        first, second, third = compare(
            ["Nobody came.", "Stop the car.", "Yes, of course."],
            heard("nobody came banana sandwich stop the car yes of course"),
            READER,
        )
        assert not passes(first)
        assert not passes(second)
        assert passes(third)

    def test_a_lost_one_takes_nothing_from_its_neighbours(self) -> None:
        found = compare(["Nobody came.", "Stop the car.", "Yes."], heard("nobody came yes"), READER)
        assert [passes(each) for each in found] == [True, False, True]


class TestTimes:
    def test_are_those_of_the_words_that_were_sent(self) -> None:
        found = compared("Forty two dollars, [Ouse](/ˈuz/).", "forty two dollars ooze")
        assert [(word.text, word.start, word.end, word.source) for word in found.words] == [
            ("Forty", 0.0, 0.5, "asr"),
            ("two", 0.5, 1.0, "asr"),
            ("dollars", 1.0, 1.5, "asr"),
            ("Ouse", 1.5, 2.0, "asr"),
        ]

    def test_a_word_written_as_one_and_sent_as_several_shares_its_time(self) -> None:
        words = compared("Forty two dollars.", "$42").words
        assert [word.text for word in words] == ["Forty", "two", "dollars"]
        assert words[0].start == 0.0
        assert words[-1].end == pytest.approx(0.5)
        assert all(one.end <= other.start + 1e-6 for one, other in pairwise(words))

    def test_a_word_that_was_not_heard_has_none(self) -> None:
        found = compared("Nobody saw it in bed.", "nobody saw it")
        assert [word.text for word in found.words] == ["Nobody", "saw", "it"]


class TestThreeTakesThatAgree:
    SENT = "Then Siobhan Przybylski waved."
    SAID = "Then Sheven Shibilski waved."

    def test_on_a_name_are_no_fault(self) -> None:
        verdicts = [judged(self.SENT, self.SAID) for _ in range(3)]
        assert not any(verdict.ok for verdict in verdicts)
        assert not agreed(verdicts[1], verdicts[:1]).ok
        passed = agreed(verdicts[2], verdicts[:2])
        assert passed.ok
        assert "three takes alike" in passed.why

    def test_that_differ_are_one(self) -> None:
        heard_as = ("Then Sheven Shibilski waved.", "Then Seven Sybil waved.", "Then Ivan Brzezinski waved.")
        verdicts = [judged(self.SENT, said) for said in heard_as]
        assert not agreed(verdicts[2], verdicts[:2]).ok

    @pytest.mark.parametrize("said", ["Then waved.", "Then Siobhan Przybylski waved and laughed aloud."])
    def test_what_is_lost_or_put_in_is_no_name(self, said: str) -> None:
        verdicts = [judged(self.SENT, said) for _ in range(3)]
        assert not agreed(verdicts[2], verdicts[:2]).ok

    def test_nor_a_whole_clause(self) -> None:
        sent, said = "The boats were late, so we ate at the pier.", "The boats were late my uncle sells maps."
        verdicts = [judged(sent, said) for _ in range(3)]
        assert not agreed(verdicts[2], verdicts[:2]).ok


SOUNDS = st.text(alphabet="ptkbdɡmnszAIOiuəæ", max_size=12)


def plain_distance(sent: str, heard_as: str) -> float:
    """By the textbook, cell by cell."""
    row = [float(each) for each in range(len(heard_as) + 1)]
    for at, one in enumerate(sent, start=1):
        before, row[0] = row[0], float(at)
        for place, other in enumerate(heard_as, start=1):
            swap = before + alignment._cost(one, alignment._SIGNS.get(one), other)
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, swap)
    return row[-1]


class TestTheAlignment:
    @given(SOUNDS, SOUNDS)
    @settings(max_examples=100, deadline=None)
    def test_is_the_cheapest_and_whole_also_in_halves(self, sent: str, said: str) -> None:
        whole = aligned_sounds(sent, said)
        halved = aligned_sounds(sent, said, largest=6)
        for steps in (whole, halved):
            assert [each.sent_at for each in steps if each.sent_at is not None] == list(range(len(sent)))
            assert [each.heard_at for each in steps if each.heard_at is not None] == list(range(len(said)))
        assert sum(each.cost for each in whole) == plain_distance(sent, said)
        assert sum(each.cost for each in halved) == plain_distance(sent, said)


UNICODE = st.text(max_size=60)


class TestNoTextCrashesIt:
    @given(st.lists(UNICODE, min_size=1, max_size=3), st.lists(UNICODE, max_size=6))
    @example(["Ø2"], ["÷2", "F"])  # read across the two words that were heard
    @settings(max_examples=MANY, deadline=None)
    def test_whatever_was_sent_and_heard(self, scripts: Sequence[str], said: Sequence[str]) -> None:
        words = [HeardWord(text, float(at), at + 0.5) for at, text in enumerate(said)]
        found = compare(scripts, words, READER)
        assert len(found) == len(scripts)
        assert verdict_of(found, "ears").score >= 0
        for script, each in zip(scripts, found, strict=True):
            assert not (passes(each) and miscounted(each, script))
            assert all(0 <= word.start <= word.end <= len(said) for word in each.words)
