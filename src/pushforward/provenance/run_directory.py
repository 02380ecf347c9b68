"""A run directory: what it holds, when it may be written, and whether it still is what was trained.

Two ideas: `manifest.json` fingerprints what the run was made of (configuration, data, weights), so
that an edited or truncated file is noticed before a number is printed; it is written first and
decides, so that a run that was killed between two files opens or goes on.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import yaml

from pushforward.core.errors import BadInput, refusing
from pushforward.core.files import json_text, write_json, write_text
from pushforward.core.space import Space, space_from_json
from pushforward.provenance.records import check_records

MANIFEST, CONFIG, WEIGHTS, ENCODING = (
    "manifest.json",
    "config.yaml",
    "weights.safetensors",
    "encoding.json",
)
STATE, HISTORY = "state", "history.jsonl"
LAST = f"{STATE}/last.safetensors"  # the checkpoint, written by the engine
FORMAT = 2
MOSTLY = 0.5  # share of weights above which a run goes on with what another had learnt
COUNTED = 2  # the first format of runs whose random numbers are those of `core/counter.py`
OTHER_VERSION = (
    "another version of pushforward may have written it: open it with that one; "
    "or a package that is not installed here brought what it names: install that one"
)


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions a number may depend on."""
    return {
        "pushforward": version("pushforward"),
        "torch": torch.__version__,
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {torch.get_num_threads()} threads",
        "processor": torch.backends.cpu.get_cpu_capability(),
    }


def steps_before(origin: Mapping[str, Any]) -> int:
    """Return for how many steps that was trained which a run began with; 0 where less than half of
    its weights came from there.

    Example:
        >>> steps_before({"share": 0.9, "steps": 500}), steps_before({"share": 0.1, "steps": 500})
        (500, 0)
    """
    return int(origin.get("steps", 0)) if origin.get("share", 0.0) > MOSTLY else 0


@dataclass(frozen=True)
class RunRecord:
    """The verified contents of a run directory."""

    path: Path
    config: dict[str, Any]
    manifest: dict[str, Any]

    @property
    def space(self) -> Space:
        """The space the run was trained on."""
        return space_from_json(self.manifest["space"])

    @property
    def of_other_seeds(self) -> str:
        """What to say of equal seeds, in a sentence; empty where they mean what they meant."""
        if self.manifest["format"] >= COUNTED:
            return ""
        earlier = "is of an earlier version, in which seeds stood for other random numbers"
        return f"{self.path.name} {earlier}: equal seeds give other samples now"

    @property
    def steps(self) -> int | None:
        """Steps that its weights were trained for, with those of the run that most of them came
        from; None where that is not said."""
        own = self.manifest.get("fit", {}).get("steps")
        return None if own is None else own + steps_before(self.manifest.get("from") or {})

    @property
    def complete(self) -> bool:
        """True if training ended; otherwise the run can be resumed."""
        return self.manifest["status"] == "complete"


def begin(
    path: Path,
    config: dict[str, Any],
    facts: dict[str, Any],
    encoding: Mapping[str, Any] = MappingProxyType({}),
    status: str = "training",
) -> None:
    """Write the manifest, the dictionary of text or tables if there is one, and `config.yaml`.

    The manifest comes first. A run that is gone on with has one already: what it said of its
    beginning is kept, and the configuration that it had stays valid until the new one is there.

    Args:
        status: `training`, or `writing` for what nothing can go on with: the same command makes it
            again.
    """
    text = yaml.safe_dump(config, sort_keys=False)
    record = {"format": FORMAT, "kind": "run", "status": status, "config_sha256": _sha256(text)}
    before = read_manifest(path) if (path / MANIFEST).is_file() else {}
    if (path / CONFIG).is_file() and (found := sha256_of(path / CONFIG)) in _valid(before):
        record["config_sha256_before"] = found
    record |= encoding_facts(encoding)
    began = {key: before[key] for key in ("started", "resumed", "versions") if key in before}
    write_json(path / MANIFEST, {**record, "versions": versions(), **began, **facts})
    if encoding:
        write_json(path / ENCODING, encoding)
    write_text(path / CONFIG, text)


def complete(path: Path, facts: dict[str, Any]) -> None:
    """Fingerprint the weights and set the status to `complete`."""
    record = json.loads((path / MANIFEST).read_text())
    record.update(facts)
    record.pop("config_sha256_before", None)
    record["status"] = "complete"
    record["weights_sha256"] = sha256_of(path / WEIGHTS)
    write_json(path / MANIFEST, record)


def is_begun_only(path: Path) -> bool:
    """Return whether a run was begun and left before there was anything to go on with: no
    checkpoint, no weights."""
    left = (
        (path / MANIFEST).is_file() and not (path / LAST).exists() and not (path / WEIGHTS).exists()
    )
    return left and read_manifest(path).get("status") == "training"


def encoding_facts(encoding: Mapping[str, Any]) -> dict[str, str]:
    """Return what a manifest says of a dictionary: nothing where nothing is kept of it.

    Example:
        >>> encoding_facts({})
        {}
    """
    return {"encoding_sha256": _sha256(json_text(encoding))} if encoding else {}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_encoding(record: RunRecord) -> dict[str, Any]:
    """Return the dictionary that a run on text or tables was trained with, empty for the others.

    Raises:
        BadInput: it is missing or was changed.
    """
    expected = record.manifest.get("encoding_sha256")
    if expected is None:
        return {}
    path = record.path / ENCODING
    if not path.is_file() or sha256_of(path) != expected:
        raise BadInput(
            f"{path} is missing or was edited",
            "the dictionary that the run was trained with",
            "restore it or train again",
        )
    with refusing(
        str(path), "the dictionary that the run was trained with", "restore it or train again"
    ):
        found: dict[str, Any] = json.loads(path.read_text())
        return found


def open_record(path: Path) -> RunRecord:
    """Read and verify a run directory.

    Raises:
        BadInput: no run there, an edited configuration, truncated or replaced weights, or a newer
            format.
    """
    if not path.is_dir():
        raise BadInput(
            f"no run at {path}", "a directory made by `pushforward train`", "check the path"
        )
    if not (path / MANIFEST).is_file():
        raise BadInput(
            f"{path} is not a run",
            f"{MANIFEST} and {CONFIG} in it",
            "a comparison keeps its runs in sub-directories",
        )
    manifest = read_manifest(path)
    if manifest.get("kind", "run") != "run":
        raise BadInput(
            f"{path} is not a run but a {manifest['kind']}",
            "a run",
            "a comparison keeps its runs in sub-directories",
        )
    if manifest["status"] == "writing":
        raise BadInput(
            f"{path} was stopped while it was being written",
            "a run",
            "give the command that writes it once more",
        )
    config = _read_config(path, manifest)
    check_records(path, manifest, config)
    if manifest["status"] == "complete":
        _verify_weights(path, manifest)
    return RunRecord(path, config, manifest)


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a manifest of a known format.

    Raises:
        BadInput: one that cannot be read, or of a newer format.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        known, status = manifest["format"], manifest["status"]
        if type(known) is not int or not isinstance(status, str):
            raise TypeError("format and status of another kind")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(
            f"the records of {path} cannot be read ({error})",
            "unedited manifest and config",
            "train it again",
        ) from None
    if known > FORMAT:
        raise BadInput(
            f"a run of format {known}", f"format {FORMAT} or older", "update pushforward"
        )
    return manifest


def _valid(manifest: dict[str, Any]) -> set[str]:
    """Return the fingerprints that the configuration may have: of a run that is gone on with also
    the one before."""
    return {
        str(manifest[key]) for key in ("config_sha256", "config_sha256_before") if key in manifest
    }


def _read_config(path: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    file = path / CONFIG
    if not file.is_file():
        if manifest["status"] == "training":
            raise BadInput(
                f"{path} was stopped before its training began",
                "a run",
                "give its command again, with --resume",
            )
        raise BadInput(
            f"{file} is missing",
            "the configuration of the run",
            "restore it, or train again with --overwrite",
        )
    try:
        text = file.read_bytes()
        config = yaml.safe_load(text)
        if not isinstance(config, dict):
            raise TypeError("no settings")
    except (OSError, yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise BadInput(
            f"the records of {path} cannot be read ({' '.join(str(error).split())})",
            "unedited manifest and config",
            "train it again",
        ) from None
    if hashlib.sha256(text).hexdigest() not in _valid(manifest):
        raise BadInput(
            f"{file} was edited after training",
            "the configuration that the weights were trained with",
            "undo the edit, or train a new run with the settings you want",
        )
    return config


def _verify_weights(path: Path, manifest: dict[str, Any]) -> None:
    weights, expected = path / WEIGHTS, str(manifest.get("weights_sha256"))
    again = "restore it, or train again with --overwrite"
    if not weights.is_file():
        raise BadInput(f"{weights} is missing", "the weights of a complete run", again)
    if sha256_of(weights) != expected:
        raise BadInput(
            f"{weights} does not match its fingerprint",
            f"the file whose SHA-256 begins with {expected[:12]}",
            f"it was truncated or replaced; {again}",
        )
