"""Notebooks as the repository shows them: executed, with small pictures, equal bytes for equal results.

Two ideas: whoever shows a notebook strips styles, scripts and SVG, so a picture is kept as one PNG; outputs belong to the code
that made them, so a change of prose keeps them and a change of code drops them.
"""

from __future__ import annotations

import base64
import re

from nbformat import NotebookNode
from nbformat.v4 import new_output

from making.raster import figures, sheet

PROGRESS = re.compile(r"\rtraining [^\r\n]*\n?|\r")  # of a training that told how far it was
PICTURE = re.compile(r"<style>.*|<div class=\"pf\".*", re.DOTALL)


def small(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return outputs with every picture as a PNG under its words, and neighbouring prints as one."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            output.text = PROGRESS.sub("", output.text)
            if not output.text.strip():
                continue
            if kept and kept[-1].output_type == "stream" and kept[-1].name == output.name:
                kept[-1].text += output.text
            else:
                kept.append(new_output("stream", name=output.name, text=output.text))
            continue
        if output.output_type == "error":
            kept.append(output)
            continue
        data = output.data
        found = figures(data.get("text/html", ""))
        if not found:
            kept.append(new_output("display_data", data=dict(data)))
            continue
        words = _words(data["text/html"])
        if words:
            kept.append(new_output("display_data", data={"text/html": words}))
        png = base64.b64encode(sheet(found)).decode()
        kept.append(new_output("display_data", data={"image/png": png, "text/plain": data.get("text/plain", "")}))
    return kept


def take_over(made: NotebookNode, shown: NotebookNode) -> NotebookNode:
    """Give every code cell of `made` the outputs of the cell of `shown` with the same code, and return `made`."""
    waiting: dict[str, list[NotebookNode]] = {}
    for cell in shown.cells:
        if cell.cell_type == "code":
            waiting.setdefault(cell.source, []).append(cell)
    for cell in made.cells:
        if cell.cell_type == "code" and waiting.get(cell.source):
            cell.outputs = small(waiting[cell.source].pop(0).outputs)
    return made


def missing(shown: NotebookNode) -> list[str]:
    """Return the first lines of cells that should show something and do not, or that show an error."""
    found = []
    for cell in (c for c in shown.cells if c.cell_type == "code"):
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        draws = re.search(r"^(show|explore)\(", cell.source, re.MULTILINE) is not None
        answers = re.search(r"^(check|print)\(", cell.source, re.MULTILINE) is not None
        broken = any(output.output_type == "error" for output in cell.outputs)
        if broken or (draws and "image/png" not in kinds) or (answers and not cell.outputs):
            found.append(cell.source.splitlines()[0])
    return found


def _words(html: str) -> str:
    """Return what a picture's HTML says beside the picture: an outcome's sentence, the words of a swap."""
    before = PICTURE.sub("", html).strip()
    inside = re.findall(r'<div class="pf"><p>(.*?)</p>', html)
    return before or "".join(f"<p>{words}</p>" for words in inside)
