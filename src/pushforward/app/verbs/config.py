"""Every setting of a run, with what it means and where its value came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pushforward.app.request import WIDTH, Answer, Request
from pushforward.app.verbs.shared import Run

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.core.spec import Config
    from pushforward.provenance.run_directory import RunRecord


class ShowConfigRequest(Request):
    """Print every setting of a run, what it means, and where its value came from."""

    verb = "config"
    run: Run

    def answer(self, watch: Watch) -> RunSettings:
        """Read the run's configuration, and what its family declares."""
        from pushforward.core.spec import TrainConfig
        from pushforward.families.build import family_class
        from pushforward.provenance.run_directory import open_record

        record = open_record(self.run)
        config, kinds = (
            record.config,
            {"model": family_class(record.config["family"]).config_type, "train": TrainConfig},
        )
        preset = _preset(record)
        found = [
            setting
            for section, kind in kinds.items()
            for setting in settings_of(
                section,
                kind,
                config.get(section, {}),
                origins_of(section, config, preset.get(section, {})),
            )
        ]
        facts = {
            key: config[key]
            for key in ("family", "preset", "choice", "seed", "data")
            if key in config
        }
        if begun := record.manifest.get("from"):
            facts["from"] = begun
        return RunSettings(facts, found)


def _preset(record: RunRecord) -> Mapping[str, Mapping[str, Any]]:
    """Return the values that the run's preset has, by section; none for a student, which has no
    preset."""
    from pushforward.core.errors import BadInput
    from pushforward.families.build import settings

    config = record.config
    architecture = config.get("model", {}).get("architecture") or ""
    try:
        return settings(config["family"], record.space, str(config.get("preset")), architecture)
    except BadInput:
        return {}


@dataclass(frozen=True)
class RunSetting:
    """One setting of a run.

    Attributes:
        origin: `default`, `preset`, `budget`, `fitted to the machine`, `asked for`,
            `the run it began with`, or `not known to this version`.
    """

    name: str
    value: Any
    default: Any
    says: str
    origin: str


def origins_of(
    section: str, config: Mapping[str, Any], preset: Mapping[str, Any]
) -> Callable[[str], str]:
    """Return where the value of a setting that is not the default came from.

    A run says which settings somebody asked for; the rest are those of its preset, as it was then.
    Older runs do not say: what is not in the preset of today may have been in that of then.
    """
    from pushforward.engine.budget import MEASURES

    values, fitted = config.get(section, {}), config.get("fitted", {}).get(section, {})

    def origin(name: str) -> str:
        if name in fitted:
            return "fitted to the machine"
        if section == "train" and name in MEASURES:
            # a preset may have a length, which a budget of as much is
            return "preset" if name in preset and preset[name] == values.get(name) else "budget"
        if section == "train" and name == "seed":
            return "asked for"
        if f"{section}.{name}" in config.get("inherited", ()):
            return "the run it began with"
        if "asked" in config:
            return "asked for" if f"{section}.{name}" in config["asked"] else "preset"
        known = name in preset and preset[name] == values.get(name)
        return "preset" if known else "asked for, or the preset of then"

    return origin


def settings_of(
    section: str, kind: type[Config], values: Mapping[str, Any], origin: Callable[[str], str]
) -> Iterator[RunSetting]:
    """Yield the settings of one section in the order of their declaration.

    Args:
        kind: the class that declares them.
        values: those of the run.
        origin: where a value that is not the default came from.
    """
    for name, field in kind.model_fields.items():
        value = values.get(name, field.default)
        came = origin(name)
        if value == field.default and came != "asked for":
            came = "default"
        yield RunSetting(f"{section}.{name}", value, field.default, field.description or "", came)
    for name in sorted(values.keys() - kind.model_fields.keys()):
        yield RunSetting(f"{section}.{name}", values[name], None, "", "not known to this version")


class RunSettings(Answer):
    """Every setting of a run."""

    def __init__(self, facts: Mapping[str, Any], settings: list[RunSetting]) -> None:
        self.facts, self.settings = facts, settings

    def json(self) -> dict[str, Any]:
        """Return the facts and a record for each setting."""
        return {**self.facts, "settings": [vars(setting) for setting in self.settings]}

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield a line for each setting: its value, where it came from, what it means."""
        from pushforward.app.runs.choosing import choice_in_words
        from pushforward.app.runs.starting import told
        from pushforward.reports.terminal.layout import hanging

        says = {"choice": choice_in_words, "from": told}
        for name, value in self.facts.items():
            if name in says:
                yield hanging(f"{name} = {says[name](value)}", width)
            elif isinstance(value, Mapping):
                for key, one in value.items():
                    yield f"{name}.{key} = {one}"
            else:
                yield f"{name} = {value}"
        for s in self.settings:
            yield hanging(
                f"{s.name} = {s.value} ({s.origin}){': ' + s.says if s.says else ''}", width
            )
