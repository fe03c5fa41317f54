"""`video`: from a script to a film, with a person's eye on script, storyboard, assets and audio.

One stage after the other, in one lane: on a small machine two of them would be in each other's way. What a
stage only waits for is no reason to do it again: new pictures leave the voice-over as it is.
"""

from __future__ import annotations

from job_pipeline.stages.acceptance import acceptance
from job_pipeline.stages.animatics import animatics
from job_pipeline.stages.assets import assets
from job_pipeline.stages.audio import collect, speak_script
from job_pipeline.stages.film import assembled
from job_pipeline.stages.material import BEATS, SCRIPT, TITLE, TOPIC, URI, VERBATIM
from job_pipeline.stages.outline import outline
from job_pipeline.stages.research import research
from job_pipeline.stages.script import script
from job_pipeline.stages.storyboard import storyboard
from lib.pipeline import Dag

_LANE = "heavy"

dag = Dag("video", inputs=[SCRIPT, URI, BEATS, TOPIC, TITLE, VERBATIM])

dag.task(name="outline", lane=_LANE)(outline)
dag.task(name="research", requires=["outline"], lane=_LANE)(research)
dag.task(name="script", requires=["outline", "research"], gate=True, lane=_LANE)(script)
dag.task(name="storyboard", requires=["script"], gate=True, lane=_LANE)(storyboard)
dag.task(name="assets", requires=["storyboard"], gate=True, lane=_LANE)(assets)
dag.task(name="animatics", requires=["assets"], lane=_LANE)(animatics)
dag.task(
    name="audio",
    requires=["script", "animatics"],
    takes=["script"],
    gate=True,
    executor="queue",
    lane=_LANE,
    collect=collect,
)(speak_script)
dag.task(
    name="assemble",
    requires=["storyboard", "assets", "animatics", "audio"],
    takes=["storyboard", "assets", "audio"],
    lane=_LANE,
)(assembled)
dag.task(
    name="acceptance",
    requires=["script", "storyboard", "assets", "animatics", "audio", "assemble"],
    lane=_LANE,
)(acceptance)
