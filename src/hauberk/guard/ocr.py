"""Reads the text in images that a request carries, so that it is judged like any other document. Optional extra `ocr`.

RapidOCR with the models of its wheel, on this machine; an address of an image elsewhere is never opened.
"""

import base64
import binascii
import io
import time
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from importlib import import_module
from threading import Lock
from typing import Any

import msgspec

from hauberk.assets.chat import Role
from hauberk.core import Gap, GapReason
from hauberk.guard.exchange import Image, Piece

MOST_IMAGES = 16  # of one request
MOST_BYTES = 8 << 20
MOST_PIXELS = 16_000_000
MOST_TEXT = 64 << 10  # characters of one image
MOST_REMEMBERED = 1_000  # texts; conversations are sent again whole with every turn
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


class OcrMissing(ValueError):
    """The library is not installed."""


class Unread(Exception):
    """Why an image was not read."""

    def __init__(self, reason: GapReason, note: str) -> None:
        super().__init__(note)
        self.reason = reason


class Seen(msgspec.Struct, frozen=True):
    """What an image says. `note` tells what of it was not read."""

    text: str
    note: str = ""


class ImageReader:
    """Reads images. Thread-safe; one image at a time."""

    def __init__(self) -> None:
        """Loads the models, which takes a second or two. Raises OcrMissing."""
        try:
            self._pictures = import_module("PIL.Image")
            self._array = import_module("numpy").asarray
            self._engine: Any = import_module("rapidocr_onnxruntime").RapidOCR(intra_op_num_threads=1)
        except ImportError as error:
            line = "guard.detect.ocr: the library that reads images is missing; install hauberk[ocr], or set ocr = false"
            raise OcrMissing(f"{line} ({error})") from error
        self._known: OrderedDict[bytes, Seen] = OrderedDict()
        self._lock = Lock()

    def read(self, images: Sequence[Image], deadline: float) -> tuple[list[Piece], list[Gap]]:
        """The text of each image as a piece of role DOCUMENT, and a gap for what was not read by `deadline` (monotonic)."""
        pieces: list[Piece] = []
        gaps: list[Gap] = []
        for number, image in enumerate(images):
            try:
                if number >= MOST_IMAGES:
                    raise Unread(GapReason.TOO_LARGE, f"only {MOST_IMAGES} images of a request are read")
                if time.monotonic() > deadline:
                    raise Unread(GapReason.TIMEOUT, "no time was left to read the image")
                seen = self._seen(_data(image.url))
            except Unread as unread:
                gaps.append(Gap(_uri(image), unread.reason, str(unread)))
                continue
            if seen.note:
                gaps.append(Gap(_uri(image), GapReason.UNSUPPORTED, seen.note))
            if seen.text:
                pieces.append(Piece(seen.text, Role.DOCUMENT, image.path, image=True))
        return pieces, gaps

    def _seen(self, data: bytes) -> Seen:
        key = blake2b(data, digest_size=16).digest()
        with self._lock:
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = self._read(data)
                if len(self._known) > MOST_REMEMBERED:
                    self._known.popitem(last=False)
            else:
                self._known.move_to_end(key)
            return known

    def _read(self, data: bytes) -> Seen:
        try:
            pixels, note = self._decoded(data)
            lines, _ = self._engine(pixels)
        except Unread:
            raise
        except Exception as error:
            # Whatever Pillow or the runtime raise on hostile bytes, the image was not read.
            raise Unread(GapReason.MALFORMED, f"the image cannot be read: {type(error).__name__}") from error
        text = _joined([str(line[1]) for line in lines or ()])
        return Seen(text[:MOST_TEXT], note if len(text) <= MOST_TEXT else f"only {MOST_TEXT} characters of the image were judged")

    def _decoded(self, data: bytes) -> tuple[Any, str]:
        try:
            picture = self._pictures.open(io.BytesIO(data), formats=FORMATS)
        except (self._pictures.DecompressionBombError, self._pictures.DecompressionBombWarning) as error:
            raise Unread(GapReason.TOO_LARGE, "the image has too many pixels to be read") from error
        with picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Unread(GapReason.TOO_LARGE, f"{picture.width} x {picture.height} pixels are too many to be read")
            note = "only the first frame of the image was read" if getattr(picture, "n_frames", 1) > 1 else ""
            shown = picture.convert("RGBA")
            paper = self._pictures.new("RGBA", shown.size, "white")
            return self._array(self._pictures.alpha_composite(paper, shown).convert("RGB")), note


def _uri(image: Image) -> str:
    return f"image:{'/'.join(map(str, image.path))}"


def _data(url: str) -> bytes:
    """The bytes in a data URL."""
    head, comma, body = url.partition(",")
    if head[:5].lower() != "data:":
        raise Unread(GapReason.UNSUPPORTED, "image not read: it is somewhere else, and is not fetched")
    if not comma or not head.lower().endswith(";base64"):
        raise Unread(GapReason.MALFORMED, "image not read: no base64 data")
    if len(body) > MOST_BYTES * 4 // 3 + 4:
        raise Unread(GapReason.TOO_LARGE, f"image not read: over {MOST_BYTES} bytes")
    try:
        return base64.b64decode(body)
    except (binascii.Error, ValueError) as error:
        raise Unread(GapReason.MALFORMED, "image not read: no base64 data") from error


def _joined(lines: Sequence[str]) -> str:
    """Lines as one text: broken words of scripts without spaces are put together again."""
    text = ""
    for line in lines:
        text += (" " if text[-1:].isascii() or line[:1].isascii() else "") + line if text else line
    return text
