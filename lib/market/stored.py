"""The market's key on the server: written by the leader, read by whoever plans."""

from __future__ import annotations

import json
from typing import Final, Protocol

from lib.errors import BadInput
from lib.market.model import FRESH_S, Market
from lib.redislink.prefix import USUAL, key_prefix
from lib.redislink.transport import Transport

MARKET: Final = "market"  # the key's name after the prefix
_MOST_BYTES: Final = 256 * 1024


class Publisher(Protocol):
    """Writes keys as the leader: `lib.leadership.LeaderLock`."""

    def publish(self, name: str, value: str, *, ttl_s: float) -> None:
        """Write the key `<prefix>:<name>`, to be forgotten after `ttl_s` seconds.

        Raises:
            LeadershipLost: the caller does not lead; nothing was written.
        """
        ...


def publish_market(leader: Publisher, market: Market, *, kept_s: float = FRESH_S) -> None:
    """Leave the market for others to read, for `kept_s` seconds; only the leader may.

    Raises:
        LeadershipLost: the caller does not lead; nothing was written.
        BadInput: it holds something that JSON cannot, or is unreasonably large.
        Unavailable: the server does not answer.
    """
    try:
        text = json.dumps(market.to_json(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise BadInput(f"the market's summary must be JSON, and this one is not: {error}") from None
    if len(text) > _MOST_BYTES:
        raise BadInput(
            f"the market's summary has {len(text)} bytes, more than {_MOST_BYTES}; publish classes of GPU, "
            "not single offers"
        )
    leader.publish(MARKET, text, ttl_s=kept_s)


def read_market(transport: Transport, *, prefix: str = USUAL) -> Market | None:
    """The market as last published; None when no watcher saw one lately, or what stands there is none.

    Raises:
        Unavailable: the server does not answer.
    """
    key = f"{key_prefix(prefix, cluster=transport.cluster)}:{MARKET}"
    try:
        text = transport.repeat(lambda: transport.ask("GET", key))
    except UnicodeDecodeError:  # somebody wrote bytes there that are no text
        return None
    return None if text is None or len(text) > _MOST_BYTES else Market.from_text(str(text))
