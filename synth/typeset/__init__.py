"""Type set by Pillow: fonts, lines in any script that the fonts have, and where letters may stand.

`FontShelf` finds fonts, `TextBlock`s are lines fitted to a box, `CaptionPainter` draws burned captions.
Importing a module of this package imports Pillow (the extras `images` and `video` have it).
"""

from __future__ import annotations
