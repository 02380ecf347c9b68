"""Tables as pictures: small histograms, generated over real, and a map of how columns depend on
each other.

Two ideas: real rows are grey bars and samples coloured ones in front of them, so that a difference
sticks out; dependence is drawn as strength of one of two colours, blue together and orange against,
which work on light and dark paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from pushforward.reports.columns import MISSING, OTHER, Bins
from pushforward.reports.drawing.axes import pixel, tag

WIDE, HIGH, TOP, FOOT = 112.0, 70.0, 16.0, 13.0
MAP, STRENGTHS = 150.0, 8
LETTERS = 17


def furthest_columns(real: np.ndarray, others: Sequence[np.ndarray], most: int) -> list[int]:
    """Return the columns whose shares differ most from the real ones, on average over models, in
    the order of the table.

    Args:
        real: shares of real rows (columns, bins), NaN beyond a column's bins.
        others: shares of each model.
        most: how many.

    Example:
        >>> furthest_columns(np.array([[0.5, 0.5], [1.0, 0.0]]), [np.array([[0.5, 0.5], [0.2, 0.8]])], 1)
        [1]
    """
    off = [np.nansum(np.abs(shares - real), axis=1) / 2 for shares in others] or [
        np.zeros(len(real))
    ]
    order = np.argsort(-np.mean(off, axis=0), kind="stable")[:most]
    return sorted(int(k) for k in order)


def histogram(
    cut: Bins, real: np.ndarray, shares: np.ndarray | None, colour: int, who: str
) -> Markup:
    """Return one column's histogram: real shares in grey, those of `who` in front, with the name
    above and the ends below."""
    known = len(cut.labels)
    peak = max(
        float(np.nanmax(real[:known])),
        0.0 if shares is None else float(np.nanmax(shares[:known])),
        1e-9,
    )
    step, floor = WIDE / known, HIGH - FOOT
    name = (
        cut.name
        if len(cut.name) <= LETTERS
        else cut.name[: LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    )
    parts = [tag("text", name, x=0.0, y=11.0, class_="label")]
    for values, class_, inset in ((real, "real", 0.06), (shares, f"c{colour}", 0.26)):
        if values is None:
            continue
        tops = [floor - (floor - TOP) * float(v) / peak for v in values[:known]]
        bars = (
            f"M{pixel((k + inset) * step)} {pixel(floor)}V{pixel(top)}H{pixel((k + 1 - inset) * step)}V{pixel(floor)}Z"
            for k, top in enumerate(tops)
        )
        parts.append(tag("path", d="".join(bars), class_=f"share {class_}"))
    parts.append(tag("path", d=f"M0 {pixel(floor)}H{pixel(WIDE)}", class_="base"))
    first, last = _ends(cut)
    parts.append(tag("text", first, x=0.0, y=HIGH - 2, class_="tick"))
    parts.append(tag("text", last, x=WIDE, y=HIGH - 2, class_="tick", text_anchor="end"))
    said = f"Column {cut.name}: shares of {who}" + (
        "" if shares is None else " in front of those of real rows"
    )
    return tag(
        "svg",
        Markup("").join(parts),
        viewBox=f"0 0 {WIDE:.0f} {HIGH:.0f}",
        role="img",
        aria_label=said,
    )


def link_map(links: np.ndarray, who: str, names: Sequence[str] = ()) -> Markup:
    """Return the map of dependences between columns; with `names` they stand at its left.

    Args:
        links: associations from -1 to 1, shape (columns, columns).
        who: whose they are, for those who cannot see it.
        names: names of the columns.
    """
    n, left = len(links), 0.0 if not names else 108.0
    side = MAP / n
    cells: dict[tuple[str, int], list[str]] = {}
    for i in range(n):
        for j in range(n):
            # the root, because most links of most tables are weak
            strength = 0 if i == j else round(STRENGTHS * min(1.0, abs(float(links[i, j]))) ** 0.5)
            if i == j or strength:
                kind = (
                    ("self", 0) if i == j else ("with" if links[i, j] > 0 else "against", strength)
                )
                place = f"M{pixel(left + j * side)} {pixel(i * side)}h{pixel(side)}v{pixel(side)}h-{pixel(side)}z"
                cells.setdefault(kind, []).append(place)
    parts = [tag("rect", x=left, y=0.0, width=MAP, height=MAP, class_="frame")]
    parts += [
        tag("path", d="".join(d), class_=f"{kind} s{s}" if s else kind)
        for (kind, s), d in cells.items()
    ]
    for i, name in enumerate(names):
        short = name if len(name) <= 18 else name[:17] + "\N{HORIZONTAL ELLIPSIS}"
        parts.append(
            tag(
                "text",
                short,
                x=left - 4,
                y=(i + 0.5) * side + 2.4,
                class_="tick small",
                text_anchor="end",
            )
        )
    said = f"Map of how strongly each two of {n} columns depend on each other, {who}"
    view = f"0 0 {left + MAP:.0f} {MAP:.0f}"
    return tag(
        "svg", Markup("").join(parts), viewBox=view, role="img", class_="links", aria_label=said
    )


def links_off(links: np.ndarray, real: np.ndarray) -> float:
    """Return the mean absolute difference of the dependences of two columns.

    Example:
        >>> links_off(np.array([[1.0, 0.2], [0.2, 1.0]]), np.array([[1.0, 0.5], [0.5, 1.0]]))
        0.3
    """
    rows, columns = np.triu_indices(len(real), 1)
    return float(np.abs(links - real)[rows, columns].mean()) if len(rows) else 0.0


def _ends(cut: Bins) -> tuple[str, str]:
    known = [label for label in cut.labels if label not in (MISSING, OTHER)]
    if not known:
        return "", ""
    first, last = known[0], known[-1] if len(known) > 1 else ""
    if cut.edges:
        first, last = first.partition(" to ")[0], last.rpartition(" to ")[2]
    return tuple(
        text if len(text) <= 9 else text[:8] + "\N{HORIZONTAL ELLIPSIS}" for text in (first, last)
    )  # type: ignore[return-value]
