"""The outline: which parts a production has, and what each is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from job_pipeline.stages import wiring
from job_pipeline.stages.instruction import asked, notes_of, told
from job_pipeline.stages.material import Material, read_material
from job_pipeline.stages.model_answers import objects_in, text_in
from job_pipeline.stages.origin import LLM, NO_MODEL, TEMPLATE, files_of, narration_fields, source_line
from job_pipeline.stages.prose import count_words, first_words, seconds_of, sentences
from lib.pipeline.context import TaskContext
from lib.units import seconds_text

_MOST_SECTIONS: Final = 200
_ORDER: Final = (
    "You plan narrated films. You get the script, or only the topic, of one. Answer with one JSON object: "
    '{"title": "...", "sections": [{"title": "...", "summary": "..."}]}. The sections are in the order of '
    "the script; a summary is one sentence. Write in the language of the script."
)


def outline(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Read what the user gives, and outline it: `outline.txt`.

    Raises:
        BadInput: what is given cannot be used.
        JobRunnerError: the language model's, as `LanguageModel.ask`.
    """
    material = read_material(context.run_inputs, narration_fields(context.config))
    notes = notes_of(context)
    model = wiring.language_model()
    if model is not None:
        source, how, left = LLM, f"the model {model.model} wrote this outline", ""
        title, sections = model.ask(_ORDER, _question(material) + asked(notes), _read)
    else:
        source, left = TEMPLATE, "a template follows the script; only a language model rewrites an outline"
        how = f"{NO_MODEL}, so this outline was made of the headings and first sentences of what was given"
        title, sections = material.title, _of_material(material)
    words, seconds = material.narration.words, material.narration.seconds
    text = _file(title, source_line(source, how), sections)
    context.write(
        "outline.txt", text, type="text/plain", measures={"sections": len(sections), "words": words}
    )
    return {
        "source": source,
        "title": title,
        "sections": sections,
        "words": words,
        "seconds": seconds,
        "material": material.to_json(),
        "files": files_of(context),
        **told(notes, "the model was told" if model is not None else "", left),
    }


def _question(material: Material) -> str:
    if material.kind == "topic":
        return f"The topic: {material.title}"
    return f"The script, called {material.title}:\n\n{material.narration.text}"


def _read(answer: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    sections = [
        {"title": text_in(section, "title", 200), "summary": text_in(section, "summary", 1000)}
        for section in objects_in(answer, "sections", _MOST_SECTIONS)
    ]
    return text_in(answer, "title", 200), sections


def _of_material(material: Material) -> list[dict[str, Any]]:
    if material.kind == "topic":
        return [
            {"title": part, "summary": f"To be written: {what} {material.title}."}
            for part, what in (
                ("Opening", "why to look at"),
                ("Middle", "what is known of"),
                ("End", "after"),
            )
        ]
    sections = []
    for name, beats in material.narration.sections:
        text = " ".join(beat.text for beat in beats)
        first = sentences(text)[0]
        sections.append(
            {
                "title": name or first_words(first, 60),
                "summary": first_words(first, 240),
                "words": count_words(text),
                "seconds": seconds_of(text),
            }
        )
    return sections


def _file(title: str, source: str, sections: list[dict[str, Any]]) -> str:
    lines = [f"# {title}", source, ""]
    for number, section in enumerate(sections, start=1):
        length = (
            f" ({section['words']} words, {seconds_text(section['seconds'])})" if "words" in section else ""
        )
        lines += [f"{number}. {section['title']}{length}", f"   {section['summary']}", ""]
    return "\n".join(lines)
