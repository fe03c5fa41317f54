"""Presets: words that are put behind a prompt, so that pictures of one kind look like one kind."""

from __future__ import annotations

from typing import Final

from lib.errors import UsageError

#: Each is a style, its light and its framing; docs/reference/image-synth.md shows them.
PRESETS: Final = {
    "photo": "Photograph, natural light, 35 mm lens, fine detail, true colours.",
    "illustration": "Editorial illustration, clean shapes, few colours, soft shading, plenty of empty space.",
    "storyboard": "Storyboard frame, pencil and grey wash, clear staging, one action, no lettering.",
    "cinematic": "Film still, wide lens, dramatic side light, shallow depth of field, muted colours.",
    "diagram": "Flat vector diagram, plain background, few colours, thick lines, no lettering.",
    "texture": "Abstract background texture, even detail, low contrast, no subject, no lettering.",
}


def with_preset(prompt: str, preset: str | None) -> str:
    """The prompt as a model gets it. Raises UsageError: there is no such preset."""
    if preset is None:
        return prompt
    words = PRESETS.get(preset)
    if words is None:
        raise UsageError(f"There is no preset {preset[:80]!r}; there are: {', '.join(PRESETS)}.")
    ended = prompt.rstrip()
    return f"{ended}{'' if ended.endswith(('.', '!', '?')) else '.'} {words}" if ended else ended
