"""Pieces of film: frames drawn and encoded, each piece to a file of its own."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from lib.errors import TryAgain
from lib.files import draft_beside, replace_durably, sync_file
from synth.audio.encode import EncodingFailed
from synth.typeset.caption_painter import CaptionStyle
from synth.video.caption_plates import CaptionDrawer
from synth.video.moving_picture import MovingPicture
from synth.video.pictures import Planes, laid_out, read_picture
from synth.video.pieces import FilmPiece, PlannedPiece, Shot, ShownCaption

#: One thread for each piece: its bytes do not depend on how many cores there are.
_X264: Final = (
    "threads=1:lookahead-threads=1:keyint=60:min-keyint=1:scenecut=0:open-gop=0:"
    "colorprim=bt709:transfer=bt709:colormatrix=bt709"
)
_MOST_PIXELS: Final = 64_000_000  # of a picture that a move comes near to
_PRESET, _QUALITY, _PREVIEW_QUALITY = "veryfast", "20", "26"
PREVIEW_LINES: Final = 480

#: Told after each frame; raises what is to end the work.
OnFrame = Callable[[], None]


@dataclass(frozen=True, slots=True)
class FilmLook:
    """What all pieces have in common: sizes in pixels, frames per second, how captions look."""

    width: int
    height: int
    fps: int
    style: CaptionStyle
    preview: tuple[int, int] | None

    def facts(self) -> dict[str, Any]:
        """What a piece's key depends on besides what it shows, this code's and the encoder's versions too."""
        import cv2
        import PIL

        return {
            "version": 2,
            "size": [self.width, self.height],
            "fps": self.fps,
            "style": asdict(self.style),
            "preview": self.preview,
            "encoder": [_X264, _PRESET, _QUALITY, _PREVIEW_QUALITY, av.__version__],
            "drawn by": [PIL.__version__, cv2.__version__],
        }


def preview_size(width: int, height: int) -> tuple[int, int]:
    """Of the preview: its shorter side has 480 pixels at most, and the shape stays."""
    share = min(PREVIEW_LINES / min(width, height), 1.0)
    return round(width * share / 2) * 2, round(height * share / 2) * 2


def piece_file(folder: Path, key: str) -> Path:
    """Where the piece of that key lies."""
    return folder / f"{key}.mp4"


def encode_piece(planned: PlannedPiece, look: FilmLook, folder: Path, on_frame: OnFrame) -> None:
    """Draw and encode a piece into its file; whole, or not there.

    Raises:
        UnusablePicture: a picture cannot be decoded.
        TryAgain: a picture is another one than the piece was planned with.
        EncodingFailed: the encoder failed.
        OSError: the disk refuses.
    """
    target = piece_file(folder, planned.key)
    try:
        with draft_beside(target) as draft:
            with av.open(str(draft), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
                _encode(planned, look, container, on_frame)
            sync_file(draft)
            replace_durably(draft, target)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise EncodingFailed(f"The video encoder failed: {error}.") from None


def _encode(planned: PlannedPiece, look: FilmLook, container: Any, on_frame: OnFrame) -> None:
    piece = planned.piece
    streams = [_stream(container, look.width, look.height, look.fps, _QUALITY)]
    if look.preview is not None:
        streams.append(_stream(container, *look.preview, look.fps, _PREVIEW_QUALITY))
    frame: Any = None
    before: Planes | None = None
    for number, planes in enumerate(frames_of(piece, look)):
        if planes is not before or frame is None:  # what stands still is handed on as it is
            frame, before = _filled(planes, look), planes
        last = planned.spare and number == piece.frames - 1
        for stream in streams:
            _send(container, stream, frame, number, key=last)
        on_frame()
    for stream in streams:
        for packet in stream.encode(None):
            container.mux(packet)


def _send(container: Any, stream: Any, frame: Any, number: int, *, key: bool) -> None:
    if frame.width != stream.width:
        frame = frame.reformat(stream.width, stream.height, interpolation="AREA")
    frame.pts, frame.time_base = number, stream.codec_context.time_base
    frame.pict_type = PictureType.I if key else PictureType.NONE
    for packet in stream.encode(frame):
        container.mux(packet)


def _stream(container: Any, width: int, height: int, fps: int, quality: str) -> Any:
    options = {"preset": _PRESET, "crf": quality, "x264-params": _X264 + _without_avx512(), "forced-idr": "1"}
    stream = container.add_stream("libx264", rate=fps, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.thread_count = 1
    context.time_base = Fraction(1, fps)
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries = context.color_trc = 1
    return stream


@lru_cache(maxsize=1)
def _without_avx512() -> str:
    """What keeps x264 from AVX-512, where the processor has it.

    Its propagation of macroblock costs reads what was never written there, in pictures whose width is no
    multiple of 256, and the same frames become other bytes now and then: 9 of 60 at 192 by 108.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return ""
    return ":asm=AVX2" if "avx512" in flags else ""


def frames_of(piece: FilmPiece, look: FilmLook) -> Iterator[Planes]:
    """The piece's frames in order; one that is like the one before it is the same object.

    Raises:
        UnusablePicture: a picture cannot be decoded.
        TryAgain: it was changed.
    """
    shot = _ShotFrames(piece.shot, look)
    under = None if piece.under is None else _ShotFrames(piece.under, look)
    drawer = CaptionDrawer(look.width, look.height, look.style) if piece.captions else None
    laid: tuple[Planes, ShownCaption, Planes] | None = (
        None  # the last one with a caption, and what is under it
    )
    for number in range(piece.first, piece.first + piece.frames):
        planes = shot.at(number / look.fps)
        if under is not None:
            share = (number + 1) / (piece.fade + 1)
            planes = under.at(piece.under_seconds + number / look.fps).blended(planes, share)
        caption = next((each for each in piece.captions if each.first <= number < each.last), None)
        if caption is not None and drawer is not None:
            if laid is None or laid[0] is not planes or laid[1] != caption:
                laid = planes, caption, drawer.plate(caption).over(planes)
            planes = laid[2]
        yield planes


class _ShotFrames:
    """The frames of a shot at any moment."""

    def __init__(self, shot: Shot, look: FilmLook) -> None:
        self._shot, self._size = shot, (look.width, look.height)
        # So large that the nearest framing shows it pixel for pixel, but for what no memory holds.
        nearest = min(shot.move.nearest, max((_MOST_PIXELS / (look.width * look.height)) ** 0.5, 1.0))
        wide, high = (round(side * nearest / 2) * 2 for side in self._size)
        data = read_picture(shot.picture)
        if hashlib.sha256(data).hexdigest() != shot.sha256:  # what is kept under its key must be of it
            raise TryAgain(f"The picture {shot.picture} was changed while the film was made; try again.")
        picture = laid_out(shot.picture, data, wide, high, shot.fit)
        self._picture = MovingPicture(picture)
        self._still = self._framed(0.0) if shot.move.still else None

    def at(self, seconds: float) -> Planes:
        """`seconds` after its scene began."""
        return self._still if self._still is not None else self._framed(seconds / self._shot.seconds)

    def _framed(self, progress: float) -> Planes:
        return self._picture.framed(self._shot.move.box(progress, *self._picture.size), *self._size)


def _filled(planes: Planes, look: FilmLook) -> Any:
    frame = av.VideoFrame(look.width, look.height, "yuv420p")
    for plane, image in zip(frame.planes, (planes.luma, planes.blue, planes.red), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = np.asarray(image)
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
    return frame


def still_of(piece: FilmPiece, look: FilmLook, kind: str) -> bytes:
    """The piece's first frame as a picture file, JPEG or PNG."""
    image = _filled(next(frames_of(piece, look)), look).to_image()
    held = io.BytesIO()
    image.save(held, kind, quality=90, subsampling=0) if kind == "JPEG" else image.save(held, kind)
    return held.getvalue()
