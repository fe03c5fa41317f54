"""`storyboard.json` as a person may mend it at its gate: what pictures show. All else stays as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from job_pipeline.stages.prose import clean
from job_pipeline.stages.script_file import approved_sha256
from lib.errors import BadInput, TryAgain
from lib.files import read_plain
from lib.foreign import parse_json

NAME: Final = "storyboard.json"
_MOST_BYTES: Final = 16 << 20
_LONGEST_PICTURE: Final = 2000


def board_at(folder: Path, result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The storyboard of the stage whose result this is, with the pictures that its file describes now.

    Where the file is not on this machine it is the result's.

    Raises:
        BadInput: it was mended, and is no storyboard of the same scenes.
        TryAgain: it was mended after it was approved, as far as `state.json` beside it tells.
    """
    try:
        data = read_plain(folder / NAME, _MOST_BYTES)
    except OSError:
        return result
    sha256 = hashlib.sha256(data).hexdigest()
    if any(each["path"] == NAME and each["sha256"] == sha256 for each in result["files"]):
        return result
    if approved_sha256(folder, NAME) not in (None, sha256):
        raise TryAgain(
            f"{NAME} of {folder.name} is not what was approved; put it back, or run its stage anew and "
            f"approve what you want: job-pipeline advance {folder.name} --stage storyboard"
        )
    try:
        pictures = {row["scene"]: clean(row["picture"]).strip() for row in parse_json(data)["scenes"]}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise BadInput(f"{NAME} was edited and is no storyboard any more") from None
    scenes = result["scenes"]
    if set(pictures) != {scene["scene"] for scene in scenes}:
        raise BadInput(f"{NAME} was edited and has other scenes; only what pictures show can be mended there")
    if not all(0 < len(picture) <= _LONGEST_PICTURE for picture in pictures.values()):
        raise BadInput(f"{NAME} was edited and has a picture of no or more than {_LONGEST_PICTURE} letters")
    return {**result, "scenes": [{**scene, "picture": pictures[scene["scene"]]} for scene in scenes]}
