"""Configuration that a user types, validated before anything runs.

Two ideas: an unknown key is an error that suggests the nearest known one; `-s a.b=value` is parsed
once, here.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import (
    no_info_plain_validator_function,
    plain_serializer_function_ser_schema,
)

from pushforward.core.errors import BadInput, a_type, nearest, unknown
from pushforward.core.plugins import why_not
from pushforward.core.registry import Registry


class Config(BaseModel):
    """Base of every configuration: frozen, no unknown keys, defaults are validated too."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, protected_namespaces=()
    )


class OneOf:
    """The type of a setting that takes a name of a table, so that no list of names stands beside
    the table.

    What is wrong is said as pydantic says it of a `Literal`, and the JSON schema has the names of
    the moment.

    Args:
        sources: registries, mappings by name, and single names.

    Example:
        >>> OneOf({"sine": 1, "square": 2}, "none").names()
        ['sine', 'square', 'none']
        >>> from typing import Annotated
        >>> from pydantic import create_model
        >>> wave = create_model("Wave", __base__=Config, shape=(Annotated[str, OneOf({"sine": 1}, "none")], "sine"))
        >>> try:
        ...     parse(wave, {"shape": "saw"}, "wave")
        ... except BadInput as error:
        ...     print(error)
        'wave.shape=saw': expected 'sine' or 'none'
    """

    def __init__(self, *sources: Registry[Any] | Mapping[str, Any] | str) -> None:
        self.sources = sources

    def names(self) -> list[str]:
        """Return all names, in order."""
        found: list[str] = []
        for source in self.sources:
            if isinstance(source, str):
                found.append(source)
            else:
                found += source.names() if isinstance(source, Registry) else source
        return found

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_plain_validator_function(
            self._checked, serialization=plain_serializer_function_ser_schema(str)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"enum": self.names(), "type": "string"}

    def _checked(self, value: Any) -> str:
        names = [f"'{name}'" for name in self.names()]
        if not isinstance(value, str) or f"'{value}'" not in names:
            expected = " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
            of_plugins = [one for one in self.sources if isinstance(one, Registry)]
            reasons = [why_not(one.noun, str(value)) for one in of_plugins]
            expected = "; ".join([expected, *filter(None, reasons)])
            raise PydanticCustomError(
                "literal_error", "Input should be {expected}", {"expected": expected}
            )
        return value


C = TypeVar("C", bound=Config)


class TrainConfig(Config):
    """How a model is trained; the same keys for every family.

    Exactly one of `seconds`, `steps`, `examples` is the budget.
    """

    seconds: float | None = Field(None, gt=0, description="wall-clock budget in seconds")
    steps: int | None = Field(None, ge=1, description="budget in optimiser steps")
    examples: int | None = Field(None, ge=1, description="budget in training examples seen")
    batch_size: int = Field(128, ge=1)
    accumulate: int = Field(
        1,
        ge=1,
        description="parts of a batch, one after the other, whose gradients are added up; for what does not fit into memory",
    )
    learning_rate: float = Field(1e-3, gt=0)
    final_learning_rate: float = Field(
        0.02, ge=0, le=1, description="fraction of the peak left at the end of the cosine"
    )
    warmup: float = Field(0.05, ge=0, le=1, description="fraction of the budget spent warming up")
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.99, ge=0, lt=1)
    optimiser: Literal["adamw", "muon"] = Field(
        "adamw", description="muon takes hidden matrices and filters, where a model names them"
    )
    matrix_learning_rate: float = Field(
        0.02, gt=0, description="peak for the matrices that Muon takes"
    )
    weight_decay: float = Field(0.01, ge=0)
    clip: float = Field(1.0, gt=0, description="maximum gradient norm")
    ema: float = Field(
        0.999, ge=0, lt=1, description="decay of the weight average, reached after its warm-up"
    )
    ema_snapshots: int | None = Field(
        None,
        ge=2,
        le=64,
        description="snapshots of averages kept on disk, for `pushforward average`; None keeps none",
    )
    precision: Literal["float32", "bfloat16", "float16", "auto"] = Field(
        "float32",
        description="of networks; auto: bfloat16 where the device computes in it, float16 on GPUs that do not, else float32",
    )
    compile: Literal["auto", True, False] = Field(
        "auto", description="networks, block by block; auto: on GPUs where the training is long"
    )
    activation_checkpointing: bool = Field(
        False,
        description="keep only what goes into each block and compute the rest again; for what does not fit into memory",
    )
    channels_last: bool = False
    checkpoint_every: int | None = Field(
        None, ge=1, description="steps between checkpoints; None = every 30 s"
    )
    evaluate_every: int | None = Field(
        None,
        ge=1,
        description="steps between held-out evaluations; None = 25 a run, fewer of a short one",
    )
    held_out_rows: int | None = Field(
        None, ge=1, description="validation examples that steer; None = 512, fewer of a short run"
    )
    patience: int | None = Field(
        None, ge=1, description="held-out evaluations without improvement before stopping"
    )
    seed: int = Field(0, ge=0)


# how a device computes and how a batch fits into it: settings that may change in the middle of a
# training, which a run goes on with unless others are asked for
ARITHMETIC = ("accumulate", "activation_checkpointing", "precision", "compile")

MOST_SHOWN = 200  # characters of a value in a message


WORD = 2**63  # integers of tensors are below it
DEEPEST = 10_000  # blocks of a network: building more takes minutes


def parse(config: type[C], values: Mapping[str, Any], where: str) -> C:
    """Validate `values` against `config`.

    Raises:
        BadInput: an unknown key (with the nearest known one), or a value of the wrong type or
            range.

    Example:
        >>> parse(TrainConfig, {"steps": 3}, "train").steps
        3
    """
    for key in values:
        if key not in config.model_fields:
            raise BadInput(
                f"unknown key '{where}.{key}'",
                f"a key of {where}",
                nearest(key, config.model_fields),
            )
        if type(values[key]) is int and abs(values[key]) >= WORD:
            came = f"'{where}.{key}={values[key]:.3g}'"
            raise BadInput(came, f"a number below {WORD:,}", "no processor counts as far")
    try:
        return config(**values)
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:  # of all values together
            raise BadInput(where, "values that fit together", first["msg"]) from None
        key = first["loc"][0]  # further words tell the parts of a type
        if first["type"] == "missing":
            raise BadInput(f"{where} without {key}", "a value for it") from None
        raise BadInput(f"'{where}.{key}={_shown(first.get('input'))}'", _expected(first)) from None


# what pydantic's words mean to a person; the others are said as they are
_EXPECTED = {
    "string_type": "text",
    "path_type": "a path",
    "is_instance_of": "data, or a name or path of them",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "at least {min_length} of them",
}


def _expected(error: Mapping[str, Any]) -> str:
    """Return what a refusal of pydantic expects, in the words of this project."""
    known = _EXPECTED.get(error["type"])
    if known is not None:
        return known.format(**error.get("ctx", {}))
    said = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return said[:1].lower() + said[1:]


def _shown(value: Any) -> str:
    """Return a value in a line: what it is, where its text would fill a screen."""
    if value is not None and not isinstance(value, str | int | float | list | tuple | dict):
        return a_type(value)
    text = str(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def parse_settings(settings: list[str]) -> dict[str, dict[str, Any]]:
    """Turn `["model.width=128", "train.ema=0.99"]` into nested dictionaries; values are JSON where
    they parse as JSON.

    Example:
        >>> parse_settings(["model.width=128", "train.precision=bfloat16"])
        {'model': {'width': 128}, 'train': {'precision': 'bfloat16'}}
    """
    nested: dict[str, dict[str, Any]] = {}
    for setting in settings:
        key, equals, text = _cut(setting)
        section, dot, name = key.partition(".")
        if not equals or not dot or not name:
            raise BadInput(f"'-s {setting}'", "section.key=value, such as model.width=128")
        if section not in ("model", "train", "data"):
            raise BadInput(*unknown("section", section, ("model", "train", "data")))
        nested.setdefault(section, {})[name] = _value(text, key.startswith(_COLUMNS))
    return nested


_COLUMNS = "data.columns."


def _cut(setting: str) -> tuple[str, str, str]:
    """Cut a setting at the first equals sign, after the name of a column at the last one before a
    list or a word."""
    if not setting.startswith(_COLUMNS):
        return setting.partition("=")
    start = setting.rfind("=[") if setting.endswith("]") else -1
    return (setting[:start], "=", setting[start + 1 :]) if start >= 0 else setting.rpartition("=")


def _value(text: str, of_column: bool) -> Any:
    """Return a value as JSON where it is; the levels of a column need no quotes."""
    if of_column and len(text) > 1 and text[0] == "[" and text[-1] == "]":
        return _levels(text)
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _levels(text: str) -> list[Any]:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        cells = next(csv.reader([text[1:-1]], skipinitialspace=True), [])
        return [cell.strip() for cell in cells]
