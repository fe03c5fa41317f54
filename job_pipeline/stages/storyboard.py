"""The storyboard: which picture stands while which words are said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from job_pipeline.stages import wiring
from job_pipeline.stages.instruction import asked, notes_of, told
from job_pipeline.stages.kept_texts import kept_texts, with_kept
from job_pipeline.stages.language_model import LanguageModel, UnusableAnswer
from job_pipeline.stages.model_answers import objects_in, text_in
from job_pipeline.stages.narration import Narration
from job_pipeline.stages.origin import LLM, NO_MODEL, TEMPLATE, files_of
from job_pipeline.stages.prose import first_words, seconds_of, sentences
from job_pipeline.stages.script_file import narration_at
from job_pipeline.stages.storyboard_file import NAME
from lib.pipeline.context import TaskContext

#: A picture stands for so many seconds, if the sentences allow it.
SHORTEST_S: Final = 4.0
LONGEST_S: Final = 9.0
_AT_ONCE: Final = 40  # scenes in one question
_ORDER: Final = (
    "You draw storyboards for narrated films. You get scenes with what the narrator says. Answer with one "
    'JSON object: {"scenes": [{"scene": 0, "picture": "..."}]}, with every scene once. A picture is one '
    "sentence that says what is seen, and no words stand in it."
)


def storyboard(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Cut the script into scenes, each with its picture: `storyboard.json`.

    Raises:
        BadInput: script.txt was edited and cannot be read.
        JobRunnerError: the language model's, as `LanguageModel.ask`.
    """
    narration, edited = narration_at(context.folder, inputs["script"])
    notes = notes_of(context)
    model = wiring.language_model()
    scenes = scenes_of(narration)
    if model is not None:
        source, how, left = LLM, f"the model {model.model} described the pictures", ""
        kept = kept_texts(context.folder / NAME, "scenes", "narration", "picture", notes)
        pictures = with_kept(
            scenes, "narration", kept, lambda new: _by_model(model, narration.title, new, notes)
        )
    else:
        source, left = TEMPLATE, "a template shows what is said; only a language model changes its pictures"
        how = f"{NO_MODEL}, so each picture is described by the words that it stands for"
        pictures = [f"What is told here: {first_words(scene['narration'], 300)}" for scene in scenes]
    board = {
        "format": 1,
        "source": source,
        "note": how,
        "notes": list(notes),
        "title": narration.title,
        "seconds": round(sum(scene["seconds"] for scene in scenes), 1),
        "scenes": [{**scene, "picture": picture} for scene, picture in zip(scenes, pictures, strict=True)],
    }
    data = json.dumps(board, ensure_ascii=False, indent=2) + "\n"
    measures = {"scenes": len(scenes), "seconds": board["seconds"], "words": narration.words}
    context.write(NAME, data, type="application/json", measures=measures)
    return {
        **board,
        "attempt": context.attempt,  # its file may be edited at the gate: what follows has to look at it anew
        "edited_script": edited,
        "files": files_of(context),
        **told(notes, "the model was told" if model is not None else "", left),
    }


def scenes_of(narration: Narration) -> list[dict[str, Any]]:
    """The scenes of a narration, in order: sentences of one beat, with their estimated seconds.

    Every word is in one scene; no scene reaches over the end of a beat, whose audio is a file of its own.
    """
    scenes: list[dict[str, Any]] = []
    for beat in narration.beats:
        for text in _stretches(beat.text):
            scenes.append(
                {
                    "scene": len(scenes),
                    "beat": beat.id,
                    "section": beat.section,
                    "narration": text,
                    "seconds": seconds_of(text),
                }
            )
    return scenes


def _stretches(text: str) -> list[str]:
    found, lengths = list[str](), list[float]()
    for sentence in sentences(" ".join(text.split())):
        seconds = seconds_of(sentence)
        joined = f"{found[-1]} {sentence}" if found and min(lengths[-1], seconds) < SHORTEST_S else ""
        if joined and (together := seconds_of(joined)) <= LONGEST_S:
            found[-1], lengths[-1] = joined, together
        else:
            found.append(sentence)
            lengths.append(seconds)
    return found


def _by_model(
    model: LanguageModel, title: str, scenes: Sequence[Mapping[str, Any]], notes: Sequence[str]
) -> list[str]:
    pictures = list[str]()
    for start in range(0, len(scenes), _AT_ONCE):
        some = scenes[start : start + _AT_ONCE]
        lines = "\n".join(f"{scene['scene']}: {scene['narration']}" for scene in some)
        question = f"The film: {title}\n\nThe scenes:\n{lines}{asked(notes)}"
        pictures += model.ask(_ORDER, question, scene_texts("picture", [scene["scene"] for scene in some]))
    return pictures


def scene_texts(key: str, numbers: Sequence[int]) -> Callable[[Mapping[str, Any]], list[str]]:
    """A reader of `{"scenes": [{"scene": 0, key: "..."}]}`: the texts of just these scenes, in order."""

    def read(answer: Mapping[str, Any]) -> list[str]:
        found = {
            scene.get("scene"): text_in(scene, key, 2000, where="a scene's ")
            for scene in objects_in(answer, "scenes", len(numbers))
            if isinstance(scene.get("scene"), int)
        }
        missing = [number for number in numbers if number not in found]
        if missing or len(found) > len(numbers):
            raise UnusableAnswer(f"Scene {missing[0] if missing else '?'} is missing; answer every one once.")
        return [found[number] for number in numbers]

    return read
