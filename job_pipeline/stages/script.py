"""The script: what is said, beat by beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from job_pipeline.stages import wiring
from job_pipeline.stages.instruction import asked, notes_of, shortened, told, word_limit
from job_pipeline.stages.language_model import LanguageModel, UnusableAnswer
from job_pipeline.stages.material import MOST_BEATS, MOST_BYTES, Material
from job_pipeline.stages.model_answers import objects_in, text_in, texts_in
from job_pipeline.stages.narration import LONGEST_BEAT, Narration, narration_of
from job_pipeline.stages.origin import LLM, NO_MODEL, TEMPLATE, USER, files_of, source_line
from job_pipeline.stages.script_file import NAME, render_script
from lib.pipeline.context import TaskContext

_FORM: Final = '{"title": "...", "sections": [{"title": "...", "paragraphs": ["..."]}]}'
_EDIT: Final = (
    "You prepare scripts for narration. You get a script. Answer with one JSON object: "
    f"{_FORM}. Keep the author's words and their order, change only what cannot be spoken, and what the "
    "editor's notes ask for. Write in the language of the script."
)
_WRITE: Final = (
    "You write narration for films. You get a topic and an outline. Answer with one JSON object: "
    f"{_FORM}. Paragraphs are what the narrator says and nothing else. Write in the language of the topic."
)
_BEATS: Final = (
    "You edit narration. You get beats with ids, and an editor's notes. Answer with one JSON object: "
    '{"beats": [{"id": "...", "text": "..."}]}. Change only what the notes ask for; leave out a beat to '
    "remove it; add none."
)


@dataclass(frozen=True, slots=True)
class _Written:
    """A narration, where it comes from, and what became of the notes."""

    narration: Narration
    source: str
    how: str
    applied: str = ""
    not_applied: str = ""


def script(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Write what is said: `script.txt`. A person may edit the file at its gate; then the file is spoken.

    Raises:
        JobRunnerError: the language model's, as `LanguageModel.ask`.
    """
    outline = inputs["outline"]
    material = Material.from_json(outline["material"])
    notes = notes_of(context)
    model = wiring.language_model()
    verbatim = context.run_inputs.get("verbatim") is True or material.kind == "beats"
    if model is not None and (notes or not verbatim):
        written = _by_model(model, material, outline, notes)
    else:
        written = _by_hand(material, outline, notes, model)
    narration = written.narration
    measures = {"words": narration.words, "beats": len(narration.beats), "seconds": narration.seconds}
    text = render_script(narration, source_line(written.source, written.how))
    context.write(NAME, text, type="text/plain", measures=measures)
    return {
        "source": written.source,
        "note": written.how,
        "attempt": context.attempt,  # its file may be edited at the gate: what follows has to look at it anew
        "narration": narration.to_json(),
        **measures,
        "files": files_of(context),
        **told(notes, written.applied, written.not_applied),
    }


def _by_model(
    model: LanguageModel, material: Material, outline: Mapping[str, Any], notes: Sequence[str]
) -> _Written:
    how = f"the model {model.model} wrote this script"
    applied = "the model was told" if notes else ""
    if material.kind == "beats":
        lines = "\n".join(f"{beat.id}: {' '.join(beat.text.split())}" for beat in material.narration.beats)
        narration = model.ask(_BEATS, lines + asked(notes), _beats_reader(material.narration))
    elif material.kind == "topic":
        plan = "\n".join(f"- {section['title']}: {section['summary']}" for section in outline["sections"])
        question = f"The topic: {material.title}\n\nThe outline:\n{plan}{asked(notes)}"
        narration = model.ask(_WRITE, question, _read)
    else:
        question = f"The script, called {material.title}:\n\n{_marked(material.narration)}{asked(notes)}"
        narration = model.ask(_EDIT, question, _read)
        how = f"the model {model.model} prepared the words of the script that was given"
    return _Written(narration, LLM, how, applied)


def _by_hand(
    material: Material, outline: Mapping[str, Any], notes: Sequence[str], model: LanguageModel | None
) -> _Written:
    if model is not None:
        return _Written(material.narration, USER, "these are the words that were given, as they were given")
    if material.kind == "topic":
        narration = _of_topic(material, outline)
        how = f"{NO_MODEL}, so this is no script but a frame for one: it says what would be told"
    else:
        narration, how = material.narration, f"{NO_MODEL}, so these are the words that were given, unchanged"
    limit = word_limit(notes, narration.words)
    if limit is None:
        left = "a template cannot rewrite; edit script.txt at its gate, or set LLM_BASE_URL" if notes else ""
        return _Written(narration, TEMPLATE, how, "", left)
    cut = shortened(narration, limit)
    how = f"{NO_MODEL}, so these are the words that were given, cut to {cut.words} of {narration.words} words"
    left = "" if cut.words <= limit else f"{limit} words would leave sentences unfinished"
    return _Written(cut, TEMPLATE, how, f"cut to {cut.words} words at the ends of sentences", left)


def _of_topic(material: Material, outline: Mapping[str, Any]) -> Narration:
    paragraphs = [
        f"{section['title']}. {section['summary']} These words are a template: there is no script yet."
        for section in outline["sections"]
    ]
    sections = [
        (section["title"], [text]) for section, text in zip(outline["sections"], paragraphs, strict=True)
    ]
    return narration_of(material.title, sections)


def _marked(narration: Narration) -> str:
    return "\n\n".join(
        "\n\n".join([f"## {name}" if name else "", *(beat.text for beat in beats)]).strip()
        for name, beats in narration.sections
    )


def _read(answer: Mapping[str, Any]) -> Narration:
    sections = [
        (
            text_in(section, "title", 200, where=f"section {number + 1}: "),
            texts_in(section, "paragraphs", MOST_BEATS, 20 * LONGEST_BEAT, where=f"section {number + 1}: "),
        )
        for number, section in enumerate(objects_in(answer, "sections", 200))
    ]
    return _bounded(narration_of(text_in(answer, "title", 200), sections))


def _beats_reader(before: Narration) -> Callable[[Mapping[str, Any]], Narration]:
    known = {beat.id: beat for beat in before.beats}

    def read(answer: Mapping[str, Any]) -> Narration:
        texts = {
            text_in(beat, "id", 20): text_in(beat, "text", 20 * LONGEST_BEAT)
            for beat in objects_in(answer, "beats", len(known))
        }
        strange = [name for name in texts if name not in known]
        if strange:
            raise UnusableAnswer(f"There is no beat {strange[0]!r}; the ids are those that were given.")
        beats = tuple(replace(beat, text=texts[beat.id]) for beat in before.beats if beat.id in texts)
        return _bounded(Narration(title=before.title, beats=beats))

    return read


def _bounded(narration: Narration) -> Narration:
    if len(narration.text.encode()) > MOST_BYTES or len(narration.beats) > MOST_BEATS:
        raise UnusableAnswer(f"The script is too long; at most {MOST_BYTES // 1024} KiB.")
    return narration
