"""The film: pictures, narration and captions in one file; `render` of factory, `assemble` of video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from job_pipeline.stages.missing_part import placeholder
from job_pipeline.stages.origin import files_of
from lib.pipeline.context import TaskContext

NAME: Final = "video.mp4"


def film(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Put what was made into one file: `video.mp4`.

    Raises:
        MissingPart: nothing here renders films.
    """
    seconds = inputs["audio"]["seconds"]
    placeholder(context, NAME, "the film with narration, captions and pictures", {"seconds": seconds})
    return {"seconds": seconds, "placeholder": True, "files": files_of(context)}
