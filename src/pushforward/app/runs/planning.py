"""What is to be trained, fully resolved: a preset with settings over it, on a dataset, under a
budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from torch import Tensor

from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.limits import require_bytes
from pushforward.core.model import GenerativeModel
from pushforward.core.placement import here
from pushforward.core.preset import AUTO, own_architecture
from pushforward.core.spec import TrainConfig, parse
from pushforward.data.dataset import Dataset
from pushforward.engine.budget import DEFAULT_SECONDS, MEASURES, budget_of
from pushforward.engine.precision import resolved
from pushforward.engine.steering import Probe
from pushforward.families.build import build, family_class, settings

# numbers in a batch of a preset: 128 pictures of 3 x 32 x 32 fit into memory, and 256 x 256 x 3
# come two at a time
MOST_VALUES = {"smoke": 2**19, "cpu": 2**19, "minute": 2**20, "gpu": 2**24}


@dataclass(frozen=True)
class Teaching:
    """What a plan needs where a model learns from another one.

    Attributes:
        join: lends the teacher to the untrained model.
        probe: what steers, in the place of a distance to data.
        facts: what the manifest says of the teacher.
        spent: the teacher's own budget, in words, part of the student's.
    """

    join: Callable[[GenerativeModel], None]
    probe: tuple[str, Probe]
    facts: dict[str, Any]
    spent: str


@dataclass(frozen=True)
class Plan:
    """A fully resolved training run: nothing is left to decide, nothing was written.

    Attributes:
        teaching: what a student of another model needs.
        alter: changes the untrained model; such a run cannot be opened again from a directory, so
            it is given none.
        explicit: settings that somebody chose, such as `model.width`: nothing changes them.
        inherited: settings that are those of the run that training begins with: nothing changes
            them either.
        recipe_length: whether nobody gave a budget and training is as long as the preset's recipe.
        with_preset: from the name of another preset to the plan that it gives; None where somebody
            chose one.
        choice: which of them was taken for a budget of seconds, and why (`app/runs/choosing.py`).
        origin: what is to be said of the run that training begins with (`app/runs/starting.py`).
        weights: of that run.
        fitted: settings that fit the machine (`app/runs/fitting.py`), by section; `model_values`
            and `train_config` have them too.
    """

    family: str
    preset: str
    seed: int
    dataset: Dataset
    labelled: bool
    model_values: dict[str, Any]
    train_config: TrainConfig
    data_settings: dict[str, Any] = field(default_factory=dict)
    teaching: Teaching | None = None
    alter: Callable[[GenerativeModel], None] | None = None
    explicit: frozenset[str] = frozenset()
    inherited: frozenset[str] = frozenset()
    fitted: dict[str, dict[str, Any]] = field(default_factory=dict)
    recipe_length: bool = False
    with_preset: Callable[[str], Plan] | None = field(default=None, compare=False)
    choice: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Tensor] | None = field(default=None, compare=False)

    @property
    def length(self) -> str:
        """How long training is, in words, and who says so where it is the preset."""
        amount = str(budget_of(self.train_config))
        of = f", as long as the recipe of the preset {self.preset}"
        return f"{amount}{of}" if self.recipe_length else amount

    def free(self, setting: str) -> bool:
        """Return whether a setting such as `train.batch_size` was left to the preset."""
        return setting not in self.explicit | self.inherited

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes the model is conditioned on."""
        return self.dataset.classes if self.labelled else ()

    def build(self) -> GenerativeModel:
        """Return the untrained model, where models are put now."""
        data = self.dataset
        model = build(
            self.family, data.space, self.classes, self.model_values, self.seed, data.context
        )
        model = model.to(here())
        if self.teaching is not None:
            self.teaching.join(model)
        if self.alter is not None:
            self.alter(model)
        return model

    def encoding(self) -> dict[str, Any]:
        """Return the record of the data's dictionary, empty for images and points."""
        return self.dataset.encoding.to_json()

    def config(self) -> dict[str, Any]:
        """Return what `config.yaml` holds."""
        return {
            "family": self.family,
            "preset": self.preset,
            "seed": self.seed,
            "data": {
                "source": self.dataset.source,
                "labels": self.labelled,
                **self.dataset.settings,
                **self.data_settings,
            },
            "model": self.model_values,
            "train": self.train_config.model_dump(exclude_none=True),
            **({"from": self.origin["run"]} if self.origin else {}),
            **({"choice": self.choice} if self.choice else {}),
            **({"fitted": self.fitted} if self.fitted else {}),
            **({"inherited": sorted(self.inherited)} if self.inherited else {}),
            "asked": sorted(self.explicit),
        }


def plan_training(
    family: str,
    dataset: Dataset,
    *,
    budget: dict[str, float],
    preset: str = "cpu",
    seed: int = 0,
    overrides: dict[str, dict[str, Any]] | None = None,
) -> Plan:
    """Resolve preset and overrides for a family on a dataset.

    With the preset `auto` the plan is that of `cpu`, which a budget of steps takes on any machine;
    it can be asked for those of the others, between which `app/runs/choosing.py` chooses. Who
    chooses an architecture has chosen `cpu`; other settings of the model hold in every preset.

    Args:
        budget: one of `{"seconds": s}`, `{"steps": n}`, `{"examples": n}`; empty: what the settings
            say, else the length of the preset, else 40 seconds.
        overrides: `{"model": {...}, "train": {...}, "data": {"labels": bool}}`, as `-s` gives them.

    Raises:
        BadInput: unknown family, preset or key, or a value out of range.
    """
    if preset == AUTO:
        return _open_to_choice(
            partial(plan_training, family, dataset, budget=budget, seed=seed, overrides=overrides)
        )
    name, _, architecture = family.partition(":")
    cls = family_class(name)
    overrides = overrides or {}
    given = frozenset(
        f"{section}.{key}" for section in ("model", "train") for key in overrides.get(section, {})
    )
    named = architecture or overrides.get("model", {}).get("architecture") or ""
    chosen = settings(
        name, dataset.space, preset, named or _architecture(cls, dataset, preset, given)
    )
    values = {**chosen["model"], **overrides.get("model", {})}
    parse(cls.config_type, values, "model")
    asked = {**overrides.get("train", {}), **budget}
    recipe = {key: chosen["train"].pop(key) for key in MEASURES if key in chosen["train"]}
    lasting = {} if asked.keys() & set(MEASURES) else recipe or {"seconds": DEFAULT_SECONDS}
    train_values = {**chosen["train"], **lasting, **asked, "seed": seed}
    _fit_batches(train_values, given, MOST_VALUES[preset] // dataset.space.dimensions)
    data = dict(overrides.get("data", {}))
    labelled = bool(dataset.classes) and bool(data.pop("labels", True))
    train_config = parse(TrainConfig, train_values, "train")
    _require_possible(train_config, cls, dataset)
    return Plan(
        cls.family,
        preset,
        seed,
        dataset,
        labelled,
        values,
        train_config,
        data,
        explicit=given,
        recipe_length=bool(recipe) and lasting == recipe,
    )


def _open_to_choice(planned: Callable[..., Plan]) -> Plan:
    """Return the plan of a processor, which can be asked for those of other presets unless somebody
    chose an architecture."""

    def other(name: str) -> Plan:
        return replace(planned(preset=name), with_preset=other)

    plan = planned(preset="cpu")
    named = ":" in planned.args[0] or "model.architecture" in plan.explicit
    return plan if named or plan.dataset.context is not None else other("cpu")


def _fit_batches(train: dict[str, Any], given: frozenset[str], most: int) -> None:
    """Let what a preset says of batches follow the size of an example, and of a batch that somebody
    chose."""
    if "train.batch_size" not in given:
        usual = train.get("batch_size", TrainConfig.model_fields["batch_size"].default)
        train["batch_size"] = min(max(1, most), usual)
    batch, parts = train["batch_size"], train.get("accumulate")
    if "train.accumulate" not in given and parts and type(batch) is int:
        train["accumulate"] = min(parts, max(1, batch))


def _require_possible(config: TrainConfig, cls: type[GenerativeModel], dataset: Dataset) -> None:
    """Refuse contexts that a family does not read, what the device does not compute in, and more
    parts of a batch than it has examples."""
    if dataset.context is not None and "context" not in cls.capabilities.conditions:
        raise Unsupported(
            f"contexts for {cls.family}", "autoregressive", "leave `data.context` out"
        )
    resolved(config.precision, here().type)
    require_bytes(
        4.0 * dataset.space.dimensions * config.batch_size / config.accumulate,
        f"train.batch_size={config.batch_size:,}",
        "choose smaller batches",
    )
    if config.accumulate > config.batch_size:
        raise BadInput(
            f"train.accumulate={config.accumulate} with batches of {config.batch_size}",
            f"at most {config.batch_size} parts",
            "a part has an example at least",
        )


def _architecture(
    cls: type[GenerativeModel], dataset: Dataset, preset: str, given: frozenset[str]
) -> str:
    """Return the architecture that examples of this size call for, empty for the default; by size
    alone, never by the clock."""
    kind, size = dataset.space.kind, dataset.space.dimensions
    if preset == "gpu" or dataset.context is not None or kind not in cls.capabilities.architectures:
        return ""
    if own_architecture(cls.presets, preset, kind, dataset.space.side):
        return ""
    default, *others = cls.capabilities.architectures[kind]
    # somebody who sets what an architecture has wants that one
    if "model.architecture" in given:
        return ""
    for each in (default, *others):
        if given & {f"model.{key}" for key in each.settings}:
            return "" if each is default else each.name
    return next((each.name for each in others if size > each.beyond), "")
