"""Text in images: judged where the extra `ocr` is installed, a gap everywhere else."""

import asyncio
import base64
import io
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hauberk.assets.chat import Role
from hauberk.core import Action, Gap, GapReason
from hauberk.guard.checker import Checker
from hauberk.guard.exchange import Exchange, Image, Operation, Piece
from hauberk.guard.gateway.hooks import Decision
from hauberk.guard.inspector import InspectOptions, PolicyInspector
from hauberk.guard.ocr import MOST_IMAGES, ImageReader, OcrMissing

IMAGES = Path(__file__).parent / "images"
PLACE = ("messages", 0, "content", 1, "image_url", "url")


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def exchange_with(*urls: str) -> Exchange:
    pieces = (Piece("What is on this picture?", Role.USER, ("messages", 0, "content", 0, "text")),)
    return Exchange(Operation.CHAT, "m", {}, pieces, tuple(Image(url, PLACE) for url in urls))


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker()


@pytest.fixture(scope="module")
def reader() -> ImageReader:
    pytest.importorskip("rapidocr_onnxruntime", reason="without the extra `ocr`")
    return ImageReader()


@pytest.fixture
def inspector(checker: Checker, reader: ImageReader) -> Iterator[PolicyInspector]:
    made = PolicyInspector(checker, InspectOptions(seconds=60), reader=reader)
    yield made
    made.close()


def decided(inspector: PolicyInspector, *urls: str) -> Decision:
    return asyncio.run(inspector.request(exchange_with(*urls)))


def reasons(reader: ImageReader, *urls: str) -> list[GapReason]:
    pieces, gaps = reader.read([Image(url, PLACE) for url in urls], time.monotonic() + 60)
    assert not pieces
    return [gap.reason for gap in gaps]


def test_an_image_that_nobody_reads_is_a_gap(checker: Checker) -> None:
    inspector = PolicyInspector(checker)
    decision = decided(inspector, data_url(b"x"), "https://e.example/x.png")
    inspector.close()
    assert [(gap.reason, gap.note) for gap in decision.gaps] == [(GapReason.UNSUPPORTED, "image not read")] * 2
    assert decision.gaps[0].asset == "image:messages/0/content/1/image_url/url"
    assert (decision.action, decision.refusal) == (Action.FLAG, None)


def test_a_missing_library_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    with pytest.raises(OcrMissing, match=r"guard.detect.ocr: .* install hauberk\[ocr\]") as caught:
        ImageReader()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["injection-en.png", "injection-zh.png"])
def test_an_order_in_a_picture_is_refused(inspector: PolicyInspector, name: str) -> None:
    decision = decided(inspector, data_url((IMAGES / name).read_bytes()))
    assert decision.action is Action.BLOCK
    assert decision.refusal is not None
    assert any(finding.asset == "image:messages/0/content/1/image_url/url" for finding in decision.findings)


def test_an_ordinary_picture_passes_unchanged(inspector: PolicyInspector) -> None:
    decision = decided(inspector, data_url((IMAGES / "menu-en.png").read_bytes()))
    assert (decision.refusal, decision.edits, decision.gaps) == (None, (), ())


def test_what_is_in_a_picture_is_never_replaced_by_text(inspector: PolicyInspector, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit at the image's place would put words where its address stands."""
    text = "key 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"
    piece, no_gaps = Piece(text, Role.DOCUMENT, PLACE, image=True), list[Gap]()
    monkeypatch.setattr(ImageReader, "read", lambda *_: ([piece], no_gaps))
    decision = decided(inspector, "data:")
    assert decision.action is Action.REDACT
    assert decision.edits == ()
    assert [gap.note for gap in decision.gaps] == ["what was found in the image cannot be taken out of it"]


def test_an_address_is_never_opened(reader: ImageReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket", None)
    assert reasons(reader, "https://e.example/x.png", "file:///etc/passwd", "/etc/passwd", "") == [GapReason.UNSUPPORTED] * 4


def test_bytes_that_are_no_image_are_gaps(reader: ImageReader) -> None:
    picture = (IMAGES / "menu-en.png").read_bytes()
    cases = [b"", b"GIF89a", picture[: len(picture) // 2], b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"II*\0" * 9]
    assert reasons(reader, *map(data_url, cases)) == [GapReason.MALFORMED] * len(cases)
    assert reasons(reader, "data:image/png,abc", "data:image/png;base64", "data:;base64,A") == [GapReason.MALFORMED] * 3


def png(width: int, height: int, pixels: bytes) -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(pixels)) + part(b"IEND", b"")


@pytest.mark.parametrize("side", [5_000, 12_000, 60_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_decompression_bombs_are_refused_before_they_are_unpacked(reader: ImageReader, side: int) -> None:
    assert reasons(reader, data_url(png(side, side, b""))) == [GapReason.TOO_LARGE]


def test_many_and_late_images_are_gaps(reader: ImageReader) -> None:
    url = data_url(b"no image")
    assert reasons(reader, *[url] * (MOST_IMAGES + 2))[-2:] == [GapReason.TOO_LARGE] * 2
    _, gaps = reader.read([Image(url, PLACE)], time.monotonic() - 1)
    assert [gap.reason for gap in gaps] == [GapReason.TIMEOUT]


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF"])
def test_other_formats_and_transparency(reader: ImageReader, form: str) -> None:
    pictures: Any = pytest.importorskip("PIL.Image")
    made = io.BytesIO()
    with pictures.open(IMAGES / "injection-en.png") as picture:
        shown = picture.convert("RGB")
        shown.save(made, form, **({"save_all": True, "append_images": [shown.rotate(180)]} if form == "GIF" else {}))
    pieces, gaps = reader.read([Image(data_url(made.getvalue()), PLACE)], time.monotonic() + 60)
    assert "previous instructions" in pieces[0].text
    assert [gap.note for gap in gaps] == (["only the first frame of the image was read"] if form == "GIF" else [])
