"""The course's pictures as small PNGs, for notebooks that are shown where neither styles nor scripts nor SVG are allowed.

Two ideas: only what `pushforward.report` draws is understood (straight paths, circles, rectangles, texts, embedded pictures), and
anything else is an error; few colours and Pillow's own font give equal, small files for equal drawings on every machine.
"""

from __future__ import annotations

import base64
import io
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from PIL import Image, ImageColor, ImageDraw, ImageFont

# colours of `picture.css`, on white: light paper everywhere
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b85f96", "#a67c00", "#4a8aa3", "#7a4fb5", "#83878f")
INK, MUTED, RULE, BEHIND, MAT = "#1c1e22", "#5b6069", "#dfdfd8", "#d2d4d6", "#7f93ab"
NARROW = 180  # of a caption, in pixels
FINER = 2  # drawn twice as large and shrunk, which is what smooths lines
MOVE = re.compile(r"([MLhZ])(-?[\d.]+)?(?: (-?[\d.]+))?")


def drawn(svg: str) -> Image.Image:
    """Return an SVG of the report as a picture on white.

    Raises:
        ValueError: an element that nobody taught this module to draw.
    """
    root = ElementTree.fromstring(re.sub(r"&(?!amp;|lt;|gt;|quot;|#)", "&amp;", svg))
    _, _, width, height = (float(v) for v in root.attrib["viewBox"].split())
    scale = 1.0 if "points" in root.attrib.get("class", "") else 1.25  # clouds are what takes bytes
    sheet = Image.new("RGB", (round(width * scale * FINER), round(height * scale * FINER)), "white")
    texts: list[ElementTree.Element] = []
    for element in root:
        if element.tag == "text":
            texts.append(element)
        else:
            _shape(ImageDraw.Draw(sheet), element, scale * FINER)
    sheet = sheet.resize((round(width * scale), round(height * scale)), Image.Resampling.BOX)
    for element in texts:  # at its final size, or thin letters blur
        _text(ImageDraw.Draw(sheet), element, scale)
    return sheet


def embedded(uri: str, least: int = 240) -> Image.Image:
    """Return the picture of a data URI, enlarged by a whole number, in a mat that is neither black nor white."""
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGBA")
    up = max(1, round(least / image.width))
    image = image.resize((image.width * up, image.height * up), Image.Resampling.NEAREST)
    sheet = Image.new("RGB", (image.width + 6, image.height + 6), MAT)
    sheet.paste(image, (3, 3), image)
    sheet.info["pixels"] = True
    return sheet


def figures(html: str) -> list[tuple[Image.Image, str]]:
    """Return the pictures of some HTML in order, each with its caption; a slider's setting is added to those of its frame."""
    found: list[tuple[Image.Image, str]] = []
    first = 0  # of the frame that is not closed yet
    pattern = (
        r'(?P<svg><svg viewBox.*?</svg>)|<img [^>]*src="(?P<uri>data:image/png[^"]*)"'
        r'|<figcaption>(?P<says>.*?)</figcaption>|<div class="(?P<frame>view)">|<p class="setting">(?P<set>.*?)</p>'
    )
    for part in re.finditer(pattern, html, re.DOTALL):
        if part["svg"]:
            found.append((drawn(part["svg"]), ""))
        elif part["uri"]:
            found.append((embedded(part["uri"]), ""))
        elif part["says"] is not None and found:
            found[-1] = (found[-1][0], _unescaped(part["says"]))
        elif part["frame"]:
            first = len(found)
        elif part["set"] is not None and first < len(found):
            found[first] = (found[first][0], f"{_unescaped(part['set'])}: {found[first][1]}")
    return found


def sheet(pictures: Sequence[tuple[Image.Image, str]], width: int = 800, colours: int = 12) -> bytes:
    """Return pictures with their captions as one PNG: in rows from left to right, of at most `width` pixels.

    More than two pictures are shrunk so that the file stays small.
    """
    if len(pictures) > 2:
        pictures = [(_shrunk(image, 170), says) for image, says in pictures]
    boxes = [(image, _wrapped(says, max(image.width, NARROW))) for image, says in pictures]
    rows: list[list[tuple[Image.Image, list[str]]]] = [[]]
    for box in boxes:
        if rows[-1] and sum(_width(b) + 14 for b in rows[-1]) + _width(box) > width:
            rows.append([])
        rows[-1].append(box)
    high = [max(image.height + 15 * len(says) + 12 for image, says in row) for row in rows]
    across = max(sum(_width(b) + 14 for b in row) for row in rows)
    paper = Image.new("RGB", (across, sum(high) + 6), "white")
    pen, top = ImageDraw.Draw(paper), 6
    for row, height in zip(rows, high):
        left = 7
        for image, says in row:
            paper.paste(image, (left, top))
            for i, line in enumerate(says):
                pen.text(
                    (left, top + image.height + 4 + 15 * i), _simple(line), fill=MUTED, font=ImageFont.load_default(12)
                )
            left += _width((image, says)) + 14
        top += height
    # lines have few colours that must be kept apart, pictures of pixels have shades
    shades = any(image.info.get("pixels") for image, _ in pictures)
    method = Image.Quantize.MEDIANCUT if shades else Image.Quantize.MAXCOVERAGE
    few = paper.quantize(3 * colours if shades else colours, method=method, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _width(box: tuple[Image.Image, list[str]]) -> int:
    return max(box[0].width, NARROW)


def _shrunk(image: Image.Image, width: int) -> Image.Image:
    if image.width <= width:
        return image
    if image.info.get("pixels"):  # by a whole number, so that pixels stay pixels and the file small
        by = max(1, round(image.width / width))
        half = image.resize((image.width // by, image.height // by), Image.Resampling.NEAREST)
        half.info["pixels"] = True
        return half
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)


def _wrapped(says: str, width: int) -> list[str]:
    font, lines = ImageFont.load_default(12), [""]
    for word in says.split():
        if lines[-1] and font.getlength(f"{lines[-1]} {word}") > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [line for line in lines if line]


def _shape(pen: ImageDraw.ImageDraw, element: ElementTree.Element, scale: float) -> None:
    kind, box = element.attrib.get("class", ""), {k: element.attrib.get(k, "0") for k in ("x", "y", "width", "height")}
    if element.tag == "path" and "cloud" in kind:
        colour = BEHIND if "real" in kind else _mixed(_colour(kind), 0.8)
        for x, y in re.findall(r"M([-\d.]+) ([-\d.]+)h0", element.attrib["d"]):
            _dot(pen, float(x), float(y), 1.3, colour, scale)
    elif element.tag == "path":
        points = [(float(a) * scale, float(b) * scale) for _, a, b in MOVE.findall(element.attrib["d"]) if a and b]
        if "band" in kind:
            pen.polygon(points, fill=_mixed(_colour(kind), 0.16))
        else:
            colour = RULE if "grid" in kind else MUTED if {"base", "level"} & set(kind.split()) else _colour(kind)
            pen.line(points, fill=colour, width=max(1, round((1.8 if "line" in kind else 0.8) * scale)), joint="curve")
    elif element.tag == "circle":
        x, y, r = (float(element.attrib[k]) for k in ("cx", "cy", "r"))
        _dot(pen, x, y, r, _colour(kind), scale)
    elif element.tag == "rect":
        x, y, w, h = (float(v) * scale for v in box.values())
        pen.rectangle((x, y, x + w, y + h), outline=RULE)
    else:
        raise ValueError(f"no way to draw <{element.tag} class={kind!r}>")


def _text(pen: ImageDraw.ImageDraw, element: ElementTree.Element, scale: float) -> None:
    kind = element.attrib.get("class", "")
    anchor = {"middle": "ms", "end": "rs"}.get(element.attrib.get("text-anchor", ""), "ls")
    at = (float(element.attrib["x"]) * scale, float(element.attrib["y"]) * scale)
    font = ImageFont.load_default((11.5 if "label" in kind else 10.5) * scale)
    pen.text(at, _simple(element.text or ""), fill=INK if "label" in kind else MUTED, font=font, anchor=anchor)


def _dot(pen: ImageDraw.ImageDraw, x: float, y: float, r: float, colour: str, scale: float) -> None:
    pen.ellipse(((x - r) * scale, (y - r) * scale, (x + r) * scale, (y + r) * scale), fill=colour)


def _colour(kind: str) -> str:
    found = re.search(r"\bc(\d)\b", kind)
    return COLOURS[int(found.group(1))] if found else MUTED


def _mixed(colour: str, share: float) -> str:
    return "#" + "".join(f"{round(share * v + (1 - share) * 255):02x}" for v in ImageColor.getrgb(colour)[:3])


def _simple(text: str) -> str:
    """Return a text in the letters that the font has: no accents, thin spaces or minus signs."""
    text = text.replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
