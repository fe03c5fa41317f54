"""P31: the console's token, made by whoever needs it first."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lib.console_token import checked_token, ensure_token, token_file
from lib.errors import BadConfiguration


class TestTheTokenFile:
    """It is made once, for its owner alone."""

    def test_it_is_made_at_the_first_start(self, tmp_path: Path) -> None:
        token = ensure_token(tmp_path)
        assert ensure_token(tmp_path) == token
        assert len(token) >= 43
        assert stat.S_IMODE(token_file(tmp_path).stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["console.token"]

    def test_others_may_not_read_it(self, tmp_path: Path) -> None:
        ensure_token(tmp_path)
        token_file(tmp_path).chmod(0o640)
        with pytest.raises(BadConfiguration, match="others may read"):
            ensure_token(tmp_path)

    @pytest.mark.parametrize("token", ["", "short", "with blanks in it 123", "ümlaut-ümlaut-ümlaut"])
    def test_one_that_can_be_guessed_is_none(self, token: str) -> None:
        with pytest.raises(BadConfiguration):
            checked_token(token, "a test")
