"""An outbox and who sends from it, as settings name them."""

from __future__ import annotations

from pathlib import Path

from lib.clock import Clock
from lib.errors import BadConfiguration
from lib.webhooks.outbox import Outbox
from lib.webhooks.receiver import receiver_of
from lib.webhooks.sender import Count, WebhookSender


def open_sender(
    folder: Path, url: str, secret: str | None, clock: Clock, *, count: Count | None = None
) -> tuple[Outbox, WebhookSender]:
    """The outbox in a folder, which may be shared, and a sender to `url`, which is not started yet.

    Raises:
        BadConfiguration: the URL is none, the secret is missing, or the folder cannot be made.
    """
    if not secret:
        raise BadConfiguration(
            "WEBHOOK_URL is set and WEBHOOK_SECRET is not, so that no receiver could tell our notifications "
            "from anybody's: set WEBHOOK_SECRET to a long random text that the receiver knows too"
        )
    receiver = receiver_of(url)
    try:
        outbox = Outbox(folder)
    except OSError as error:
        raise BadConfiguration(
            f"the outbox {folder} cannot be made: {error.strerror}; give this user the right to write there"
        ) from None
    return outbox, WebhookSender(outbox, receiver, secret, clock, count=count)
