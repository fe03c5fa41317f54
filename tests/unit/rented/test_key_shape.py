"""What is no key of Vast's is refused before anything is asked: it would only be called wrong there."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.errors import BadConfiguration
from lib.providers.vast.connection import VastConnection


@pytest.mark.parametrize(
    "key", ["my key", "<your key>", '"quoted"', "Bearer 0123", " k-of-mine", "k-of-mine\n", "ключ", "", "a/b"]
)
def test_what_is_no_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(BadConfiguration, match="VAST_API_KEY is no key") as refused:
        VastConnection(key, clock=ManualClock()).check()

    assert not key.strip() or key.strip() not in refused.value.message


def test_a_key_is_none_of_our_business_beyond_its_letters() -> None:
    pytest.importorskip("vastai", reason="the SDK is not installed (the extra vast)")
    VastConnection("0123456789abcdef" * 4, clock=ManualClock(), url="http://127.0.0.1:1").check()
