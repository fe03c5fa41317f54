"""Who has a name when the job that had it goes to another one (Q43)."""

from __future__ import annotations

import json

import pytest

from lib.storage import Claim
from lib.storage.name_ownership import entry_key
from tests.contract.storage.shop import Shop, X

TOOK = {f"{X}.wav": "took"}
WENT = {"topic/y.wav": "went"}
NEWER = {f"{X}.flac": "newer", f"{X}.take-02.flac": "newer 2"}
OLDER = {f"{X}.wav": "older"}


class TestANameThatItsOwnerLeft:
    """Three jobs want it; the newest has it, and goes elsewhere by its next revision."""

    def leave(self, shop: Shop) -> None:
        shop.ask(9, "owner", WENT, name="topic/y", revision=2, former={X: TOOK})

    @pytest.mark.parametrize("turned_away", [False, True])
    def test_is_the_newest_other_jobs_again(self, shop: Shop, turned_away: bool) -> None:
        if turned_away:
            shop.ask(5, "owner", TOOK)
        shop.ask(3, "newer", NEWER)
        shop.ask(1, "older", OLDER)
        if not turned_away:
            shop.ask(5, "owner", TOOK)

        self.leave(shop)

        assert shop.outputs() == {**WENT, **NEWER}
        assert shop.store.storage.owner(X) == Claim("newer", 1, 3)
        assert shop.ask(1, "older", OLDER).superseded_by == Claim("newer", 1, 3)

    def test_goes_down_the_line(self, shop: Shop) -> None:
        shop.ask(1, "older", OLDER)
        shop.ask(3, "newer", NEWER)
        shop.ask(5, "owner", TOOK)
        self.leave(shop)

        shop.ask(11, "newer", {"topic/z.wav": "z"}, name="topic/z", revision=2, former={X: NEWER})

        assert shop.outputs() == {**WENT, "topic/z.wav": "z", **OLDER}

    def test_is_not_given_to_who_left_it_too(self, shop: Shop) -> None:
        shop.ask(3, "newer", NEWER)
        shop.ask(5, "owner", TOOK)
        shop.ask(7, "newer", {"topic/z.wav": "z"}, name="topic/z", revision=2, former={X: NEWER})

        self.leave(shop)

        assert shop.outputs() == {**WENT, "topic/z.wav": "z"}
        assert shop.store.storage.owner(X) is None

    def test_is_given_to_a_later_revision_where_one_was_turned_away(self, shop: Shop) -> None:
        shop.ask(5, "owner", TOOK)
        shop.ask(4, "newer", {f"{X}.mp3": "changed"}, revision=2)
        shop.ask(3, "newer", NEWER)  # the earlier one, published late

        self.leave(shop)

        assert shop.outputs() == {**WENT, f"{X}.mp3": "changed"}

    def test_leaves_out_what_the_store_has_no_more(self, shop: Shop) -> None:
        shop.ask(3, "newer", NEWER)
        shop.ask(5, "owner", TOOK)
        shop.store.lose(shop.put("newer 2").key)

        self.leave(shop)

        assert shop.outputs() == {**WENT, f"{X}.flac": "newer"}

    def test_gets_no_path_that_its_owner_has_under_the_other_name(self, shop: Shop) -> None:
        shop.ask(3, "newer", NEWER)
        shop.ask(5, "owner", TOOK)
        went = {f"{X}.take-02.flac": "went"}

        shop.ask(9, "owner", went, name=f"{X}.take-02", revision=2, former={X: TOOK})

        assert shop.outputs() == {**went, f"{X}.flac": "newer"}
        record = json.loads(shop.store.look(entry_key(X)) or b"")
        assert [*record["files"]] == [f"{X}.flac"]

    def test_is_not_given_back_twice(self, shop: Shop) -> None:
        """A repeat leaves what a person made of it since."""
        shop.ask(3, "newer", NEWER)
        shop.ask(5, "owner", TOOK)
        self.leave(shop)
        shop.store.lay(f"outputs/{X}.flac", b"edited")

        self.leave(shop)

        assert shop.outputs()[f"{X}.flac"] == "edited"

    def test_keeps_the_jobs_that_want_it_and_no_endless_list_of_them(self, shop: Shop) -> None:
        sizes = []
        for order in range(1, 31):
            for _ in range(2):
                shop.ask(order, f"job-{order:02d}", {f"{X}.wav": f"{order:02d}"})
            record = shop.store.look(entry_key(X)) or b""
            assert f'"job-{order:02d}": {{'.encode() not in record  # the owner is not among the others
            sizes.append(len(record))

        assert sizes[10] > sizes[5]
        assert len({*sizes[-10:]}) == 1

    def test_gets_no_path_that_another_name_has_by_now(self, shop: Shop) -> None:
        shop.ask(3, "newer", NEWER)
        shop.ask(5, "owner", TOOK)
        shop.ask(6, "other", {f"{X}.take-02.flac": "other"}, name=f"{X}.take-02")

        self.leave(shop)

        assert shop.outputs() == {**WENT, f"{X}.flac": "newer", f"{X}.take-02.flac": "other"}
