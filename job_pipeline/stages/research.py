"""Research: what a script claims, so that somebody can look it up. Nothing here is looked up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from job_pipeline.stages import wiring
from job_pipeline.stages.instruction import asked, notes_of, told
from job_pipeline.stages.material import Material
from job_pipeline.stages.model_answers import objects_in, text_in
from job_pipeline.stages.origin import LLM, NO_MODEL, TEMPLATE, files_of
from job_pipeline.stages.prose import first_words, sentences
from lib.pipeline.context import TaskContext

_MOST: Final = 500
_ORDER: Final = (
    "You check facts for narrated films. You get a script or a topic. Answer with one JSON object: "
    '{"claims": [{"claim": "...", "doubt": "..."}]}. Each claim is one statement that could be wrong; its '
    "doubt says how to check it. Do not say that anything is verified. Write in the language of the script."
)
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*(?:\s?%)?")
# Two capitalised words or more; one alone begins every sentence and, in German, is every noun.
_NAME: Final = re.compile(r"\b[A-Z\u00c0-\u00deА-Я][\w'’-]+(?:\s[A-Z\u00c0-\u00deА-Я][\w'’-]+){1,4}")


def research(inputs: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """List what has to be checked: `research.json`. Every claim is marked as not verified.

    Raises:
        JobRunnerError: the language model's, as `LanguageModel.ask`.
    """
    material = Material.from_json(inputs["outline"]["material"])
    notes = notes_of(context)
    model = wiring.language_model()
    text = material.narration.text
    if model is not None:
        source, left = LLM, ""
        how = f"the model {model.model} listed these claims; nobody has checked them"
        question = f"{material.title}\n\n{text}{asked(notes)}"
        claims = model.ask(_ORDER, question, _read)
    else:
        source, left = TEMPLATE, "a template lists what stands in the script; only a language model asks more"
        how = f"{NO_MODEL}, so these are the sentences with numbers or names; nobody has checked them"
        claims = _of_text(text)
    found = {
        "format": 1,
        "source": source,
        "note": how,
        "claims": [{**claim, "verified": False} for claim in claims],
        "numbers": _distinct(_NUMBER.findall(text)),
        "names": _distinct(_NAME.findall(text)),
    }
    data = json.dumps(found, ensure_ascii=False, indent=2) + "\n"
    context.write("research.json", data, type="application/json", measures={"claims": len(claims)})
    return {
        **found,
        "files": files_of(context),
        **told(notes, "the model was told" if model is not None else "", left),
    }


def _read(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"claim": text_in(claim, "claim", 1000), "doubt": text_in(claim, "doubt", 1000)}
        for claim in objects_in(answer, "claims", _MOST)
    ]


def _of_text(text: str) -> list[dict[str, Any]]:
    claims = []
    for sentence in sentences(" ".join(text.split())):
        inside = sentence.partition(" ")[2]
        why = "a number" if _NUMBER.search(sentence) else "a name" if _NAME.search(inside) else ""
        if why:
            claims.append({"claim": first_words(sentence, 1000), "doubt": f"it holds {why}"})
    return claims[:_MOST]


def _distinct(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))[:_MOST]
