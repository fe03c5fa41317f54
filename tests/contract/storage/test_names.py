"""Whose audio lies under a name: what was asked for last, whoever publishes when (Q43)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import pytest

from lib.storage import Claim, NotStored, Published
from lib.storage.name_ownership import entry_key
from tests.contract.storage.conftest import Store
from tests.contract.storage.shop import Shop, X


class TestTheOrderOfAsking:
    def test_decides_and_not_the_order_of_ending(self, shop: Shop) -> None:
        shop.ask(2, "new", {f"{X}.wav": "new"})

        late = shop.ask(1, "old", {f"{X}.wav": "old"})

        assert late.superseded_by == Claim("new", 1, 2)
        assert late.places == {}
        assert shop.outputs() == {f"{X}.wav": "new"}

    @pytest.mark.parametrize("arrival", list(permutations(range(1, 5))))
    def test_gives_one_end_whoever_comes_when(self, shop: Shop, arrival: tuple[int, ...]) -> None:
        asked: dict[int, dict[str, str]] = {
            1: {f"{X}.wav": "1"},
            2: {f"{X}.flac": "2", f"{X}.take-02.flac": "2b", f"{X}.peaks.json": "drawn"},
            3: {f"{X}.wav": "3", f"{X}.take-02.wav": "3b"},
            4: {f"{X}.mp3": "4"},
        }
        for order in arrival:
            shop.ask(order, f"job-{order}", asked[order])

        assert shop.outputs() == asked[4]

    def test_is_the_same_for_a_repeat(self, shop: Shop) -> None:
        for _ in range(2):
            done = shop.ask(7, "a", {f"{X}.wav": "a"})
            assert done.places == {f"{X}.wav": shop.store.storage.location(f"{X}.wav")}
        assert shop.outputs() == {f"{X}.wav": "a"}

    def test_rises_with_a_job_that_is_asked_for_again(self, shop: Shop) -> None:
        shop.ask(1, "a", {f"{X}.wav": "a"})
        shop.ask(2, "b", {f"{X}.wav": "b"})
        shop.ask(3, "a", {f"{X}.wav": "a"})

        assert shop.ask(2, "b", {f"{X}.wav": "b"}).superseded_by == Claim("a", 1, 3)
        assert shop.outputs() == {f"{X}.wav": "a"}

    def test_of_two_jobs_without_one_lets_the_later_publication_win(self, shop: Shop) -> None:
        """As it was in the version that knew no order."""
        shop.ask(0, "a", {f"{X}.wav": "a"})
        shop.ask(0, "b", {f"{X}.wav": "b"})
        assert shop.outputs() == {f"{X}.wav": "b"}

        shop.ask(5, "c", {f"{X}.wav": "c"})
        assert shop.ask(0, "a", {f"{X}.wav": "a"}).superseded_by == Claim("c", 1, 5)

    def test_that_is_equal_by_accident_leaves_what_stands(self, shop: Shop) -> None:
        shop.ask(5, "a", {f"{X}.wav": "a"})

        assert shop.ask(5, "b", {f"{X}.wav": "b"}).superseded_by == Claim("a", 1, 5)

    def test_holds_for_two_stores_on_one_place_at_once(self, shop: Shop, store: Store) -> None:
        stores = [store.storage, store.again(), store.again()]
        texts = {order: f"audio {order}" for order in range(1, 31)}
        for text in texts.values():
            shop.put(text)

        def publish(order: int) -> None:
            files = {f"{X}.{'wav' if order % 2 else 'flac'}": texts[order]}
            shop.ask(order, f"job-{order}", files, storage=stores[order % 3])

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(publish, sorted(texts, key=lambda order: order * 17 % 31)))

        assert shop.outputs() == {f"{X}.flac": "audio 30"}


class TestWhatIsLeftBehind:
    def test_by_a_changed_format_fewer_takes_and_waveforms_is_removed(self, shop: Shop) -> None:
        shop.ask(
            1,
            "a",
            {
                f"{X}.wav": "1",
                f"{X}.take-02.wav": "2",
                f"{X}.peaks.json": "p",
                f"{X}.take-02.peaks.json": "q",
                f"{X}.srt": "s",
                f"{X}.captions.json": "c",
                f"{X}.take-02.vtt": "v",
            },
        )
        shop.ask(2, "a", {f"{X}.flac": "3"}, revision=2)

        assert shop.outputs() == {f"{X}.flac": "3"}

    def test_by_another_job_is_removed_too(self, shop: Shop) -> None:
        shop.ask(1, "a", {f"{X}.wav": "1", f"{X}.take-02.wav": "2"})
        shop.ask(2, "b", {f"{X}.wav": "3"})

        assert shop.outputs() == {f"{X}.wav": "3"}

    def test_by_another_job_is_not_what_a_longer_name_has_beside_its_audio(self, shop: Shop) -> None:
        longer = f"{X}.take-02"
        shop.ask(1, "a", {f"{X}.wav": "1", f"{longer}.wav": "2", f"{longer}.captions.json": "c"})
        shop.ask(2, "b", {f"{longer}.wav": "3", f"{longer}.captions.json": "c"}, name=longer)
        shop.ask(3, "a", {f"{X}.wav": "4"}, revision=2)

        assert shop.outputs() == {f"{X}.wav": "4", f"{longer}.wav": "3", f"{longer}.captions.json": "c"}

    def test_stays_where_somebody_edited_it(self, shop: Shop) -> None:
        shop.ask(1, "a", {f"{X}.wav": "1"})
        shop.store.lay(f"outputs/{X}.wav", b"louder")
        shop.ask(2, "a", {f"{X}.flac": "2"}, revision=2)

        assert shop.outputs() == {f"{X}.wav": "louder", f"{X}.flac": "2"}

    def test_under_the_name_of_an_earlier_revision_is_removed(self, shop: Shop) -> None:
        shop.ask(1, "a", {"old.wav": "1"}, name="old")
        shop.ask(2, "a", {"new.wav": "2"}, name="new", revision=2, former={"old": {"old.wav": "1"}})

        assert shop.outputs() == {"new.wav": "2"}

    def test_is_not_published_again_by_the_earlier_revision(self, shop: Shop) -> None:
        """A publication that was owed, made late."""
        shop.ask(2, "a", {"new.wav": "2"}, name="new", revision=2, former={"old": {"old.wav": "1"}})
        late = shop.ask(1, "a", {"old.wav": "1"}, name="old")

        assert late.superseded_by == Claim("a", 2, 2)
        assert shop.outputs() == {"new.wav": "2"}

    def test_may_be_had_by_others_and_by_a_revision_that_comes_back(self, shop: Shop) -> None:
        shop.ask(1, "a", {"old.wav": "1"}, name="old")
        shop.ask(4, "a", {"new.wav": "2"}, name="new", revision=2, former={"old": {"old.wav": "1"}})
        shop.ask(2, "b", {"old.wav": "b"}, name="old")
        assert shop.outputs() == {"new.wav": "2", "old.wav": "b"}

        former = {"old": {"old.wav": "1"}, "new": {"new.wav": "2"}}
        shop.ask(5, "a", {"old.wav": "3"}, name="old", revision=3, former=former)
        assert shop.outputs() == {"old.wav": "3"}

    def test_of_an_earlier_revision_stays_where_another_job_has_it_by_now(self, shop: Shop) -> None:
        shop.ask(1, "a", {"old.wav": "1"}, name="old")
        shop.ask(2, "b", {"old.wav": "b"}, name="old")
        shop.ask(3, "a", {"new.wav": "2"}, name="new", revision=2, former={"old": {"old.wav": "1"}})

        assert shop.outputs() == {"new.wav": "2", "old.wav": "b"}
        assert shop.store.storage.owner("old") == Claim("b", 1, 2)

    @pytest.mark.parametrize("name", [X, "topic/y"])
    def test_by_a_version_that_wrote_no_records_is_removed(self, shop: Shop, name: str) -> None:
        shop.put("1")
        shop.store.lay(f"outputs/{X}.wav", b"1")
        shop.ask(2, "a", {f"{name}.flac": "2"}, name=name, revision=2, former={X: {f"{X}.wav": "1"}})

        assert shop.outputs() == {f"{name}.flac": "2"}


class TestPaths:
    def test_of_a_take_belong_to_who_asked_for_them_last(self, shop: Shop) -> None:
        shop.ask(1, "x", {f"{X}.wav": "1", f"{X}.take-02.wav": "2"})
        shop.ask(2, "t", {f"{X}.take-02.wav": "t"}, name=f"{X}.take-02")
        again = shop.ask(1, "x", {f"{X}.wav": "1", f"{X}.take-02.wav": "2"})

        assert shop.outputs() == {f"{X}.wav": "1", f"{X}.take-02.wav": "t"}
        assert again.lost == {f"{X}.take-02.wav": Claim("t", 1, 2)}
        assert list(again.places) == [f"{X}.wav"]

    def test_of_a_job_that_is_named_like_a_take_go_to_the_newer_job_with_takes(self, shop: Shop) -> None:
        shop.ask(1, "t", {f"{X}.take-02.wav": "t", f"{X}.take-02.take-02.wav": "u"}, name=f"{X}.take-02")
        shop.ask(2, "x", {f"{X}.wav": "1", f"{X}.take-02.wav": "2"})
        late = shop.ask(
            1, "t", {f"{X}.take-02.wav": "t", f"{X}.take-02.take-02.wav": "v"}, name=f"{X}.take-02"
        )

        assert late.superseded_by == Claim("x", 1, 2)
        assert shop.outputs() == {
            f"{X}.wav": "1",
            f"{X}.take-02.wav": "2",
            f"{X}.take-02.take-02.wav": "u",
        }

    def test_that_are_given_up_are_the_other_jobs_again(self, shop: Shop) -> None:
        shop.ask(1, "t", {f"{X}.take-02.wav": "t"}, name=f"{X}.take-02")
        shop.ask(2, "x", {f"{X}.wav": "1", f"{X}.take-02.wav": "2"})
        shop.ask(3, "x", {f"{X}.wav": "3"}, revision=2)
        assert shop.outputs() == {f"{X}.wav": "3"}

        shop.ask(1, "t", {f"{X}.take-02.wav": "t"}, name=f"{X}.take-02")
        assert shop.outputs() == {f"{X}.wav": "3", f"{X}.take-02.wav": "t"}

    def test_that_another_job_fills_with_the_same_bytes_are_not_removed(self, shop: Shop) -> None:
        shop.ask(2, "t", {f"{X}.take-02.wav": "same"}, name=f"{X}.take-02")
        shop.ask(1, "x", {f"{X}.wav": "1", f"{X}.take-02.wav": "same"})
        shop.ask(3, "x", {f"{X}.wav": "3", f"{X}.take-02.wav": "same"}, revision=2)
        shop.ask(4, "x", {f"{X}.wav": "4"}, revision=3)

        assert shop.outputs() == {f"{X}.wav": "4", f"{X}.take-02.wav": "same"}

    def test_that_lead_elsewhere_are_refused(self, shop: Shop, store: Store) -> None:
        with pytest.raises(ValueError, match="no validated output name"):
            shop.ask(1, "a", {"../escape.wav": "1"}, name="../escape")


class TestWhatAPersonPutThere:
    def test_is_kept_by_who_asks_to(self, shop: Shop) -> None:
        shop.ask(1, "a", {f"{X}.wav": "a"})
        shop.store.lay(f"outputs/{X}.wav", b"louder")
        done = shop.ask(2, "a", {f"{X}.wav": "a"}, keep=True)

        assert done == Published(kept=frozenset({f"{X}.wav"}))
        assert shop.outputs() == {f"{X}.wav": "louder"}
        assert shop.store.storage.owner(X) == Claim("a", 1, 2)

    def test_goes_when_another_job_is_asked_for(self, shop: Shop) -> None:
        shop.ask(1, "a", {f"{X}.wav": "a"})
        shop.store.lay(f"outputs/{X}.wav", b"louder")
        shop.ask(2, "b", {f"{X}.wav": "b"}, keep=True)

        assert shop.outputs() == {f"{X}.wav": "b"}

    def test_is_told_from_what_another_job_made(self, shop: Shop) -> None:
        storage, mine, other = shop.store.storage, shop.put("mine"), shop.put("another's")
        for text, deep, found in (
            ("another's", False, other),
            ("mine", True, None),
            ("edited by hand", True, None),
            ("", True, None),
        ):
            shop.store.lay(f"outputs/{X}.wav", text.encode())
            assert storage.stranger(mine, f"{X}.wav", deep=deep) == found

    def test_of_the_same_length_is_read_by_a_deep_look_only(self, shop: Shop) -> None:
        storage, mine, other = shop.store.storage, shop.put("1"), shop.put("2")
        shop.store.lay(f"outputs/{X}.wav", b"2")

        assert storage.stranger(mine, f"{X}.wav") is None
        assert storage.stranger(mine, f"{X}.wav", deep=True) == other


class TestTheOwner:
    def test_is_nobody_at_first_and_after_the_last_left(self, shop: Shop) -> None:
        storage = shop.store.storage
        assert storage.owner("old") is None
        shop.ask(1, "a", {"old.wav": "1"}, name="old")
        assert storage.owner("old") == Claim("a", 1, 1)
        shop.ask(2, "a", {"new.wav": "2"}, name="new", revision=2, former={"old": {"old.wav": "1"}})

        assert storage.owner("old") is None
        assert storage.owner("new") == Claim("a", 2, 2)

    def test_of_a_name_like_a_take_may_be_the_job_with_takes(self, shop: Shop) -> None:
        storage = shop.store.storage
        shop.ask(1, "t", {f"{X}.take-02.wav": "t"}, name=f"{X}.take-02")
        shop.ask(2, "x", {f"{X}.wav": "1", f"{X}.take-02.wav": "2"})

        assert storage.owner(f"{X}.take-02") == Claim("x", 1, 2)
        assert storage.owner(f"{X}.take-03") is None

    def test_is_the_rival_of_every_older_job(self, shop: Shop) -> None:
        shop.ask(5, "a", {f"{X}.wav": "a"})
        files = shop.files({f"{X}.flac": "b"})
        rivals = shop.store.storage.rivals

        assert rivals(Claim("b", 1, 4), X, files) == {f"{X}.flac": Claim("a", 1, 5)}
        assert rivals(Claim("b", 1, 6), X, files) == {}
        assert rivals(Claim("a", 1, 5), X, files) == {}


def test_an_extra_that_cannot_be_had_is_left_out_and_the_older_one_goes(shop: Shop) -> None:
    shop.ask(1, "a", {f"{X}.wav": "1", f"{X}.peaks.json": "old"})
    peaks = shop.put("new peaks")
    shop.store.lose(peaks.key)
    files = {**shop.files({f"{X}.wav": "2"}), f"{X}.peaks.json": peaks}

    done = shop.store.storage.publish(Claim("b", 1, 2), X, files, extras=[f"{X}.peaks.json"])

    assert list(done.places) == [f"{X}.wav"]
    assert shop.outputs() == {f"{X}.wav": "2"}


def test_what_cannot_be_had_changes_nothing_not_even_the_owner(shop: Shop) -> None:
    shop.ask(1, "a", {f"{X}.wav": "1"})
    gone = shop.put("gone")
    shop.store.lose(gone.key)

    with pytest.raises(NotStored):
        shop.store.storage.publish(Claim("b", 1, 2), X, {f"{X}.wav": gone})

    assert shop.outputs() == {f"{X}.wav": "1"}
    assert shop.store.storage.owner(X) == Claim("a", 1, 1)


@pytest.mark.parametrize("data", [b"", b"no json", b"[]", b"{}", b'{"files": {"../../x": 1}}', b"[" * 9999])
def test_a_record_that_cannot_be_read_is_nobodys(shop: Shop, data: bytes) -> None:
    shop.ask(5, "a", {f"{X}.wav": "a"})
    shop.store.lay(entry_key(X), data)

    assert shop.store.storage.owner(X) is None
    shop.ask(1, "b", {f"{X}.wav": "b"})
    assert shop.outputs() == {f"{X}.wav": "b"}
    assert shop.store.storage.owner(X) == Claim("b", 1, 1)


def test_a_path_that_two_names_had_in_turn_is_left_empty(shop: Shop) -> None:
    """A job whose second take another one took over goes to that one's name, in another format."""
    takes = {f"{X}.wav": "three, 1", f"{X}.take-02.wav": "three, 2"}
    shop.ask(1, "three", takes)
    shop.ask(2, "one", {f"{X}.take-02.wav": "one"}, name=f"{X}.take-02")

    files = {f"{X}.take-02.flac": "three anew"}
    shop.ask(3, "three", files, name=f"{X}.take-02", revision=2, former={X: takes})

    assert shop.outputs() == files


def test_a_job_that_went_to_a_name_of_a_newer_one_leaves_its_old_name(shop: Shop) -> None:
    old = {"y.wav": "two"}
    shop.ask(1, "two", old, name="y")
    shop.ask(3, "one", {f"{X}.wav": "one"})

    moved = shop.ask(2, "two", {f"{X}.wav": "two anew"}, revision=2, former={"y": old})

    assert moved.superseded_by == Claim("one", 1, 3)
    assert shop.outputs() == {f"{X}.wav": "one"}
