"""What reading images (`guard.detect.ocr`) keeps of the detection of plain text.

    python evals/guard/ocr.py --zh-font DroidSansFallback.ttf -o evals/guard/ocr.json

Texts of our own calibration split, one of each family, are rendered with Pillow in several fonts, sizes and disturbances, read by
the guard's image reader and judged as a document, as the gateway does. Beside it the same texts plain: what is lost between the two
is lost by OCR. A text counts as flagged from `redact` on. Ordinary texts and pictures without text give the false alarms.
"""

import argparse
import base64
import io
import json
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from difflib import SequenceMatcher
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from evals.guard.calibration_rows import own_rows  # noqa: E402 - after the path
from evals.guard.measures import interval  # noqa: E402

from hauberk.assets.chat import Role  # noqa: E402
from hauberk.core import Action  # noqa: E402
from hauberk.guard import exchange  # noqa: E402
from hauberk.guard.checker import Checker  # noqa: E402
from hauberk.guard.ocr import ImageReader  # noqa: E402

DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
LONGEST = 400  # characters of a text
WIDTH = 900  # pixels
QUICK = ("18 px", "28 px", "18 px, noise")
Change = Callable[[Image.Image], Image.Image]


def rendered(text: str, font: ImageFont.FreeTypeFont, ink: str = "black", paper: str = "white") -> Image.Image:
    """`text` in lines that fit the width."""
    lines = [line for paragraph in text.splitlines() for line in _wrapped(paragraph, font)]
    height = int(font.size * 1.5)
    picture = Image.new("RGB", (WIDTH, height * (len(lines) + 1)), paper)
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((20, height // 2 + number * height), line, fill=ink, font=font)
    return picture


def _wrapped(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    lines = [""]
    for word in text.split(" ") if text.isascii() else list(text):
        longer = f"{lines[-1]} {word}".strip() if text.isascii() else lines[-1] + word
        if lines[-1] and font.getlength(longer) > WIDTH - 40:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def noisy(picture: Image.Image) -> Image.Image:
    """Grey noise over a third of the strength."""
    return Image.blend(picture, Image.effect_noise(picture.size, 90).convert("RGB"), 0.33)


def blurred(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(1.2))


def turned(picture: Image.Image) -> Image.Image:
    return picture.rotate(4, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)


def squeezed(picture: Image.Image) -> Image.Image:
    """JPEG of a low quality."""
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=15)
    return Image.open(io.BytesIO(data.getvalue())).convert("RGB")


def conditions(lang: str, zh_font: Path | None) -> dict[str, Callable[[str], Image.Image]]:
    """Ways to render, by name."""
    regular = zh_font if lang == "zh" else DEJAVU / "DejaVuSans.ttf"
    assert regular is not None

    def plain(path: Path, size: int, change: Change = lambda p: p, **colours: str) -> Callable[[str], Image.Image]:
        font = ImageFont.truetype(str(path), size)
        return lambda text: change(rendered(text, font, **colours))

    made = {f"{size} px": plain(regular, size) for size in (12, 18, 28)}
    if lang == "en":
        made["18 px, serif"] = plain(DEJAVU / "DejaVuSerif.ttf", 18)
        made["18 px, monospaced"] = plain(DEJAVU / "DejaVuSansMono.ttf", 18)
    made["18 px, grey on grey"] = plain(regular, 18, ink="#b0b0b0", paper="#d0d0d0")
    for name, change in {"noise": noisy, "blur": blurred, "turned 4 degrees": turned, "JPEG quality 15": squeezed}.items():
        made[f"18 px, {name}"] = plain(regular, 18, change)
    return made


class Eye:
    """Reads and judges."""

    def __init__(self) -> None:
        self.reader, self.checker = ImageReader(), Checker()
        self.seconds: list[float] = []

    def flags(self, text: str) -> bool:
        return self.checker.check_text(text, Role.DOCUMENT).action >= Action.REDACT

    def read(self, picture: Image.Image) -> str:
        data = io.BytesIO()
        picture.save(data, "PNG")
        url = f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
        started = time.perf_counter()
        pieces, _ = self.reader.read([exchange.Image(url, ("image",))], time.monotonic() + 600)
        self.seconds.append(time.perf_counter() - started)
        return "\n".join(piece.text for piece in pieces)


def share(hits: int, of: int) -> dict[str, Any]:
    """A share in percent with its exact interval."""
    low, high = interval(hits, of)
    return {
        "flagged": hits,
        "of": of,
        "percent": round(100 * hits / of, 1),
        "interval": [round(100 * low, 1), round(100 * high, 1)],
    }


def likeness(text: str, read: str) -> float:
    """How much of the text was read right, spaces aside, 0 to 1."""
    return SequenceMatcher(None, "".join(text.split()), "".join(read.split()), autojunk=False).ratio()


def texts_read(eye: Eye, texts: list[str], ways: dict[str, Callable[[str], Image.Image]]) -> dict[str, Any]:
    """Texts plain and under each way to render."""
    found: dict[str, Any] = {"plain text": share(sum(map(eye.flags, texts)), len(texts))}
    for name, way in ways.items():
        read = [eye.read(way(text)) for text in texts]
        found[name] = share(sum(map(eye.flags, read)), len(read))
        found[name]["read right"] = round(statistics.mean(map(likeness, texts, read)), 3)
        print(name, found[name], file=sys.stderr, flush=True)
    return found


def pictures(seed: int, count: int) -> list[Image.Image]:
    """Pictures without a text: shapes, gradients, noise."""
    random_ = random.Random(seed)  # noqa: S311 - the same pictures each time
    made: list[Image.Image] = []
    for number in range(count):
        picture = (
            Image.effect_noise((640, 480), 40 + number).convert("RGB")
            if number % 3 == 0
            else Image.radial_gradient("L").resize((640, 480)).convert("RGB")
        )
        pen = ImageDraw.Draw(picture)
        for _ in range(25):
            x, y, w, h = (random_.randrange(10, 400) for _ in range(4))
            shape = random_.choice((pen.ellipse, pen.rectangle, pen.line))
            shape((x, y, x + w, y + h), fill=tuple(random_.randrange(256) for _ in range(3)))
        made.append(picture)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zh-font", type=Path, help="a font with Chinese characters; without it only English is measured")
    parser.add_argument("--texts", type=int, default=8, help="attacks of each language, and as many ordinary texts")
    parser.add_argument("--quick", action="store_true", help="three ways to render, four pictures without a text")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    eye, result = Eye(), {}
    for lang in ("en", "zh") if options.zh_font else ("en",):
        ways = conditions(lang, options.zh_font)
        ways = {name: ways[name] for name in QUICK} if options.quick else ways
        for label, name in ((1, "attacks"), (0, "ordinary")):
            rows = own_rows(
                label=label, count=options.texts, seed=options.seed, lang=lang, roles=("tool", "document"), longest=LONGEST
            )
            chosen = ways if label else {"18 px": ways["18 px"]}
            result[f"{name} {lang}"] = texts_read(eye, [row.text for row in rows], chosen)
    read = [eye.read(picture) for picture in pictures(options.seed, 4 if options.quick else 20)]
    result["pictures without text"] = share(sum(bool(text) and eye.flags(text) for text in read), len(read))
    versions = ", ".join(f"{name} {version(name)}" for name in ("hauberk", "rapidocr-onnxruntime", "pillow", "onnxruntime"))
    result["seconds an image"] = {"median": round(statistics.median(eye.seconds), 2), "most": round(max(eye.seconds), 2)}
    result |= {"seed": options.seed, "machine": f"{platform.machine()}, Python {platform.python_version()}, {versions}"}
    text = json.dumps(result, indent=1, ensure_ascii=False)
    print(text)
    if options.out:
        options.out.write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main()
