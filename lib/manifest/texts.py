"""The staged texts: compared with the manifest, put back where a power cut lost them."""

from __future__ import annotations

from collections.abc import Iterable

from lib.errors import BadInput
from lib.manifest.folder import OutFolder
from lib.manifest.order import Order

_NAMED = 5


class TextChanged(BadInput):
    """A staged text is not the one that was compiled."""


def staged(folder: OutFolder, order: Order) -> bytes | None:
    """What `text.txt` holds, up to one byte more than it should; None when it is missing or empty.

    An empty one is what a power cut can leave of a file that was never synced; no job's text is empty.
    """
    return folder.read(order.text_path, len(order.text_bytes())) or None


def check_texts(folder: OutFolder, orders: Iterable[Order]) -> None:
    """See that each text is the compiled one. A missing or empty one is put back from the manifest.

    Raises:
        TextChanged: a text differs; someone edited it, so somebody has to decide.
    """
    changed = []
    for order in orders:
        found = staged(folder, order)
        if found is None:
            folder.write(order.text_path, order.text_bytes(), sync=False)
        elif found != order.text_bytes():
            changed.append(order.text_path)
    if changed:
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        raise TextChanged(
            f"Texts in {folder} differ from the manifest: {', '.join(changed[:_NAMED])}{more}. "
            "Change the job file and compile again, or remove them to have them restored."
        )
