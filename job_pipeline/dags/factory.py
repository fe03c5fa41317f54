"""`factory`: from a script, beatsheet or job file to a film, without a stop: audio, visuals, render.

`uploading` is the same with a last stage that copies what was made to the store of STORAGE_URL.
"""

from __future__ import annotations

from typing import Final

from job_pipeline.stages.audio import collect, speak_material
from job_pipeline.stages.film import rendered
from job_pipeline.stages.material import BEATS, SCRIPT, TITLE, URI
from job_pipeline.stages.upload import upload
from job_pipeline.stages.visuals import visuals
from lib.pipeline import Dag, RunInput

#: Beside beats a topic is their name; alone it is nothing that could be spoken.
_TOPIC: Final = RunInput("topic", "The name of beats that are given.", "line")
_PICTURES_S: Final = 3600.0
_UPLOAD_S: Final = 1800.0


def _factory(name: str) -> Dag:
    made = Dag(name, inputs=[SCRIPT, URI, BEATS, _TOPIC, TITLE])
    made.task(name="audio", executor="queue", collect=collect)(speak_material)
    made.task(name="visuals", requires=["audio"], timeout=_PICTURES_S)(visuals)
    made.task(name="render", requires=["audio", "visuals"], timeout=_PICTURES_S)(rendered)
    return made


dag = _factory("factory")

uploading = _factory("factory-upload")
uploading.task(name="upload", requires=["audio", "visuals", "render"], timeout=_UPLOAD_S)(upload)
