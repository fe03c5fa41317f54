"""`image-synth generate`: one picture into a file, and on request into the store and its table."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.cli.options import JsonOption
from lib.cli.output import emit_json, note, say, warn
from lib.cli.signals import sigterm_interrupts
from lib.errors import BadConfiguration, BadInput, JobRunnerError, UsageError
from lib.units import MICROS, bytes_text, usd
from synth import wiring
from synth.commands import image_options as o
from synth.commands.textfile import read_text

if TYPE_CHECKING:
    from synth.imagen.sync import SyncedPicture
    from synth.pictures.backend import Picture

EXAMPLES = (
    'image-synth generate "A lighthouse in the fog." --out lighthouse.png',
    'image-synth generate "A harbour." --preset photo --backend flux-dev-replicate',
)


def command(
    prompt: o.PromptArgument,
    out: o.OutOption = Path("picture.png"),
    backend: o.BackendOption = None,
    preset: o.PresetOption = None,
    width: o.WidthOption = 1024,
    height: o.HeightOption = 1024,
    seed: o.SeedOption = None,
    theme: o.ThemeOption = "",
    sync: o.SyncOption = False,
    force: o.ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Draw one picture into a file."""
    from synth.pictures.backend import PictureOrder, check_order
    from synth.pictures.open_backend import check_takes_preset, open_backend
    from synth.pictures.presets import with_preset
    from synth.pictures.recorded import RecordedDrawing
    from synth.pictures.usage import UsageLog

    wired = wiring.pictures()
    name = wired.backend if backend is None else backend
    words = read_text(Path("-")) if prompt == "-" else prompt
    with ExitStack() as stack:
        drawer = open_backend(name, wired.backends)
        stack.callback(drawer.close)
        if preset is not None:
            check_takes_preset(name, wired.backends)
        drawn_seed = secrets.randbelow(2**31) if seed is None else seed
        order = PictureOrder(with_preset(words, preset), width, height, drawn_seed, theme)
        check_order(order)
        _check_target(out, force)
        store = (
            open_store(stack) if sync else None
        )  # what is wrong with it is said before anything is paid for
        stack.enter_context(sigterm_interrupts())
        picture = RecordedDrawing(UsageLog(wired.data), warn).draw(drawer, order)
        _write(out, picture.png, force)
        try:
            synced = None if store is None else store(words, picture)
        except JobRunnerError:
            warn(f"The picture lies in {out}; it is not, or not wholly, in the store.")
            raise
    _report(out, picture, preset, synced, json)


def open_store(stack: ExitStack) -> Any:
    """What puts a picture into the bucket and its row into the table."""
    from synth.imagen.sync import write_picture
    from synth.imagen.wiring import sync_desk

    desk = stack.enter_context(sync_desk())
    owner = desk.owned_by(None)

    def put(prompt: str, picture: Picture) -> SyncedPicture:
        return write_picture(prompt, picture, owner, desk.bucket, desk.tables, desk.clock)

    return put


def _check_target(out: Path, force: bool) -> None:
    from lib.files import try_write

    if out.suffix.lower() != ".png":
        raise UsageError(f"--out must end with .png; not {out.name!r}.")
    if out.is_dir():
        raise BadInput(f"{out} is a folder; name a file.")
    if not force and os.path.lexists(out):
        raise BadInput(f"{out} exists; name another file, or add --force to replace it.")
    try:
        try_write(out.parent)
    except OSError as error:
        raise BadConfiguration(f"The folder {out.parent} cannot be written: {error.strerror}.") from None


def _write(out: Path, png: bytes, force: bool) -> None:
    """Put the file there whole; without `force` over nothing, not even what came there meanwhile."""
    from lib.files import draft_beside, replace_durably, write_in_place

    try:
        with draft_beside(out) as draft:
            write_in_place(draft, png, sync=True)
            if force:
                replace_durably(draft, out)
            else:
                os.link(draft, out)
    except FileExistsError:
        raise BadInput(f"{out} came to be while the picture was drawn; run it again with --force.") from None
    except OSError as error:
        raise BadConfiguration(f"The picture cannot be written to {out}: {error.strerror}.") from None


def _report(
    out: Path, picture: Picture, preset: str | None, synced: SyncedPicture | None, json: bool
) -> None:
    cost = picture.cost_usd
    price = "cost unknown" if cost is None else f"${cost:.4f}" if cost else "free"
    note(
        f"Drawn by {picture.backend} in {picture.seconds:.2f} s: {picture.width} x {picture.height}, "
        f"seed {picture.seed}, {bytes_text(len(picture.png))}, {price}."
    )
    if synced is not None:
        note(f"Stored as {synced.place}, imagen.images {synced.id}.")
    if not json:
        say(str(out))
        return
    emit_json(
        {
            "file": str(out),
            "bytes": len(picture.png),
            "sha256": hashlib.sha256(picture.png).hexdigest(),
            "width": picture.width,
            "height": picture.height,
            "seed": picture.seed,
            "backend": picture.backend,
            "model": picture.model,
            "preset": preset,
            "seconds": round(picture.seconds, 3),
            "cost_usd": None if cost is None else usd(cost * MICROS),
            "image_id": None if synced is None else synced.id,
            "bucket": None if synced is None else synced.bucket,
            "storage_path": None if synced is None else synced.path,
        }
    )
