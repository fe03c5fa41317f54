"""For tests that set letters which join or run from the right: Pillow needs FriBidi for those."""

from __future__ import annotations

import pytest

from synth.typeset.fonts import has_shaping

needs_fribidi = pytest.mark.skipif(
    not has_shaping(), reason="FriBidi is not installed (apt-get install libfribidi0)"
)
