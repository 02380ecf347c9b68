"""The scorecard without a browser: Markdown for a README, plain text for a terminal.

One idea: both print the cells of the same table that the page draws, so that no number can differ
between them.
"""

from __future__ import annotations

from pushforward.reports.page.score_table import Cell, Note, ScoreTable, costs, scorecard
from pushforward.reports.records import Comparison
from pushforward.reports.verdict.sentences import verdict

TOPICS = {
    "Blind": "Not counted",
    "Too good": "Better than real data",
    "Luck": "Chance",
    "Ceiling": "Real against real",
    "Floor": "Beside a bad model",
}


def called(topic: str) -> str:
    """Return what a reader calls a topic of the verdict.

    Example:
        >>> called("Floor"), called("Cost")
        ('Beside a bad model', 'Cost')
    """
    return TOPICS.get(topic, topic)


def to_markdown(comparison: Comparison) -> str:
    """Return title, verdict, scorecard and costs as Markdown; pipes and markup in names are
    escaped."""
    parts = [f"# {_plain(comparison.title)}", _meta(comparison)]
    parts.append(
        "\n".join(f"- **{_plain(called(s.topic))}.** {_plain(s.text)}" for s in verdict(comparison))
    )
    for title, table, notes in _tables(comparison):
        parts.append(f"## {title.capitalize()}")
        heads = [
            " ".join(filter(None, (c.title, f"({c.detail})" if c.detail else "")))
            for c in table.columns
        ]
        lines = [
            "| | " + " | ".join(_plain(head) for head in heads) + " |",
            "|---|" + "---:|" * len(heads),
        ]
        for _, rows in table.groups:
            lines += [
                f"| {_plain(name)} | " + " | ".join(_plain(_cell(c)) for c in cells) + " |"
                for name, cells in rows
            ]
        parts.append("\n".join(lines))
        if notes:
            parts.append(
                "\n".join(f"- **{_plain(n.title)}.** {_plain(' '.join(_said(n)))}" for n in notes)
            )
    return "\n\n".join(parts) + "\n"


def to_verdict(comparison: Comparison) -> str:
    """Return the title and the verdict, which is what a terminal has room for."""
    lines = "\n".join(f"{called(s.topic)}: {s.text}" for s in verdict(comparison))
    return f"{comparison.title}\n{_meta(comparison)}\n\n{lines}\n"


def _meta(comparison: Comparison) -> str:
    data = comparison.data
    counts = ", ".join(f"{n} {split}" for split, n in data.counts.items())
    return _plain(
        f"{data.name}: {data.space} ({counts}). Budget: {comparison.budget}. Seed {comparison.seed}, {comparison.created}."
    )


def _cell(cell: Cell) -> str:
    value = f"**{cell.value}**" if cell.best else cell.value
    parts = [value, f"({cell.interval})" if cell.interval else "", cell.badge]
    return " ".join(filter(None, parts))


def _tables(comparison: Comparison) -> list[tuple[str, ScoreTable, tuple[Note, ...]]]:
    return [*scorecard(comparison).tables, ("size and cost", costs(comparison), ())]


def _said(note: Note) -> list[str]:
    return [text.rstrip(".") + "." for text in (note.says, *note.notes) if text]


def _plain(text: str) -> str:
    for character in ("\\", "|", "<", "_", "`"):
        text = text.replace(character, "&lt;" if character == "<" else "\\" + character)
    return " ".join(text.split())
