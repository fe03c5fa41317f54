"""What a picture may be asked to be, and what one is where a job does not say."""

from __future__ import annotations

from typing import Final

USUAL_BACKEND: Final = "card"  # needs no GPU, no network and no token
USUAL_WIDTH: Final = 1024  # pixels
USUAL_HEIGHT: Final = 1024
LEAST_PIXELS: Final = 64  # of a side
MOST_PIXELS: Final = 4096
PIXEL_STEP: Final = 8  # diffusion models work on blocks of so many
MAX_PROMPT: Final = 4_000  # characters; models read some 500 tokens and pass over the rest
PICTURE_SUFFIX: Final = "png"
