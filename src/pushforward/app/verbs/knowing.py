"""What families declare about themselves: their card, their capabilities, their references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, Request, Said, option
from pushforward.app.verbs.shared import Target

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.core.capabilities import Card

LIKELIHOOD = "log p, "  # begins the columns of the capability table that say what a likelihood is


class ExplainRequest(Request):
    """Say what is optimised, what kind of likelihood there is, what to look at and what it
    costs."""

    verb = "explain"
    target: Target

    def answer(self, watch: Watch) -> Explained:
        """Read the family's card."""
        from pushforward.app.writing.using import card_of

        return Explained(*card_of(self.target))


class Explained(Answer):
    """A family's card, and what it means for a run."""

    def __init__(self, family: str, card: Card, manifest: Mapping[str, Any] | None) -> None:
        self.family, self.card, self.manifest = family, card, manifest

    def json(self) -> dict[str, Any]:
        """Return the card."""
        run = {"run": self.manifest} if self.manifest else {}
        return {"family": self.family, **vars(self.card), **run}

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the card, a paragraph a question."""
        card = self.card
        yield f"{card.title}\n"
        yield f"What is optimised: {card.optimises}\n    {card.objective}"
        yield f"What the number means: {card.number_means}"
        yield "Look at:\n" + "\n".join(f"  - {line}" for line in card.look_at)
        yield "May go wrong:\n" + "\n".join(f"  - {line}" for line in card.may_go_wrong)
        if card.strength:
            yield f"Strength: {card.strength}"
        yield f"Cost: {card.cost}"
        if self.manifest:
            fit, data = self.manifest.get("fit", {}), self.manifest["data"]["name"]
            yield f"This run: {fit.get('steps', '?')} steps on {data}, budget {fit.get('budget', 'unfinished')}"
            if "teacher" in self.manifest:
                of = self.manifest["teacher"]
                teacher = of["run"] or "a model in memory"
                yield f"Distilled from {teacher} by {of['method']}, guidance {of['guidance']:g}"


class FamiliesRequest(Request):
    """Print what each family can honestly do."""

    verb, python_name = "families", "capabilities"
    presets: Annotated[
        bool,
        option("Print what each preset was measured to reach, the command, and what it aims at."),
    ] = False
    markdown: Annotated[bool, option("Print one wide table in Markdown.")] = False

    @property
    def without_json(self) -> str:
        """A table in Markdown."""
        return "--markdown" if self.markdown else ""

    def answer(self, watch: Watch) -> CapabilityTable | PresetTable:
        """Read the declarations on the families' classes."""
        from pushforward.app.writing.using import capability_table
        from pushforward.families.presets import preset_table

        if self.presets:
            return PresetTable(preset_table(), self.markdown)
        return CapabilityTable(capability_table(), self.markdown)


class CapabilityTable(Answer):
    """What every family declares."""

    def __init__(self, rows: list[dict[str, str]], markdown: bool = False) -> None:
        self.rows, self.markdown = rows, markdown

    def json(self) -> list[dict[str, str]]:
        """Return a record for each family."""
        return self.rows

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield one wide table; or a short one of the likelihoods, and a block for each family,
        both as wide as the terminal."""
        from pushforward.reports.terminal.layout import columns, markdown_table, records

        if self.markdown:
            yield markdown_table(self.rows)
            return
        kinds = [key for key in self.rows[0] if key.startswith(LIKELIHOOD)]
        short = [[row["family"], *(_kinds_in(row[key]) for key in kinds)] for row in self.rows]
        table = columns([["", *(key.removeprefix(LIKELIHOOD) for key in kinds)], *short], width)
        if max(map(len, table.splitlines())) <= width:  # a phone's terminal has the blocks alone
            yield f"What log p(x) is:\n\n{table}\n"
        yield records(self.rows, "family", width)


class PresetTable(Answer):
    """What every preset was measured to reach, and what others published."""

    def __init__(self, rows: list[dict[str, str]], markdown: bool = False) -> None:
        self.rows, self.markdown = rows, markdown

    def json(self) -> list[dict[str, str]]:
        """Return a record for each preset."""
        return self.rows

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield one wide table, or a block for each preset, as wide as the terminal."""
        from pushforward.reports.terminal.layout import markdown_table, records

        if self.markdown:
            yield markdown_table(self.rows)
            return
        titled = [
            {
                "of": f"{row['family']} on {row['kind of data']}, preset {row['preset']}",
                "reaches": row["reaches"],
                **{key: row[key] for key in ("by", "aims at") if row[key]},
            }
            for row in self.rows
        ]
        yield records(titled, "of", width)


def _kinds_in(estimators: str) -> str:
    """Return the kinds of numbers among estimators such as `elbo (lower bound), ode (estimate)`,
    each once."""
    kinds = re.findall(r"\((.*?)\)", estimators)
    return ", ".join(dict.fromkeys(kinds)) or estimators


class CiteRequest(Request):
    """Print the references of a family or run."""

    verb = "cite"
    target: Target

    def answer(self, watch: Watch) -> Said:
        """Read the references of the family's card."""
        from pushforward.app.writing.using import card_of

        family, card, _ = card_of(self.target)
        found = {
            "family": family,
            "references": [{"key": k, "text": t} for k, t in card.references],
        }
        return Said(found, *(f"[{key}] {text}" for key, text in card.references))
