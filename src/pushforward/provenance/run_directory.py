"""A run directory: what it holds, when it may be written, and whether it still is what was trained.

Two ideas: `manifest.json` fingerprints what the run was made of (configuration, data, weights), so that an edited or truncated
file is noticed before a number is printed; a directory that holds something else is never written into.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import yaml

from pushforward.core.errors import BadInput
from pushforward.core.files import write_json, write_text
from pushforward.core.space import Space, space_from_json

MANIFEST, CONFIG, WEIGHTS, ENCODING = "manifest.json", "config.yaml", "weights.safetensors", "encoding.json"
STATE, HISTORY = "state", "history.jsonl"
OURS = (MANIFEST, CONFIG, WEIGHTS, ENCODING, STATE, HISTORY, "scores.json", "findings.json", "report.html", "README.md")
FORMAT = 1


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
    }


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
    def complete(self) -> bool:
        """True if training ended; otherwise the run can be resumed."""
        return self.manifest["status"] == "complete"


def claim(path: Path, overwrite: bool = False) -> None:
    """Make sure that `path` may become a run (or comparison) directory; creates nothing unless `overwrite` clears an old one.

    Raises:
        BadInput: it is a file, or holds a run or anything else.
    """
    if path.is_file():
        raise BadInput(f"the output {path}", "a directory", "this is a file; choose another -o")
    if not path.is_dir() or not any(path.iterdir()):
        return
    ours = (path / MANIFEST).is_file()
    if not ours:
        raise BadInput(
            f"the output directory {path}", "an empty or new directory", "it holds other files; choose another -o"
        )
    if not overwrite:
        raise BadInput(
            f"the output directory {path}",
            "an empty or new directory",
            "it holds another run; continue that one with --resume, replace it with --overwrite, or choose another -o",
        )
    shutil.rmtree(path)


def begin(path: Path, config: dict[str, Any], facts: dict[str, Any], encoding: dict[str, Any] | None = None) -> None:
    """Write `config.yaml`, the dictionary of text or tables if there is one, and a manifest with status `training`."""
    if encoding is not None:
        write_json(path / ENCODING, encoding)
        facts = {**facts, "encoding_sha256": sha256_of(path / ENCODING)}
    text = yaml.safe_dump(config, sort_keys=False)
    write_text(path / CONFIG, text)
    record = {
        "format": FORMAT,
        "status": "training",
        "config_sha256": hashlib.sha256(text.encode()).hexdigest(),
        **facts,
        "versions": versions(),
    }
    write_json(path / MANIFEST, record)


def complete(path: Path, facts: dict[str, Any]) -> None:
    """Fingerprint the weights and set the status to `complete`."""
    record = json.loads((path / MANIFEST).read_text())
    record.update(facts)
    record["status"] = "complete"
    record["weights_sha256"] = sha256_of(path / WEIGHTS)
    write_json(path / MANIFEST, record)


def read_encoding(record: RunRecord) -> dict[str, Any] | None:
    """Return the dictionary that a run on text or tables was trained with, None for the others.

    Raises:
        BadInput: it is missing or was changed.
    """
    expected = record.manifest.get("encoding_sha256")
    if expected is None:
        return None
    path = record.path / ENCODING
    if not path.is_file() or sha256_of(path) != expected:
        raise BadInput(
            f"{path} is missing or was edited",
            "the dictionary that the run was trained with",
            "restore it or train again",
        )
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def open_record(path: Path) -> RunRecord:
    """Read and verify a run directory.

    Raises:
        BadInput: no run there, an edited configuration, truncated or replaced weights, or a newer format.
    """
    if not path.is_dir():
        raise BadInput(f"no run at {path}", "a directory made by `pushforward train`", "check the path")
    if not (path / MANIFEST).is_file() or not (path / CONFIG).is_file():
        raise BadInput(
            f"{path} is not a run", f"{MANIFEST} and {CONFIG} in it", "a comparison keeps its runs in sub-directories"
        )
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        text = (path / CONFIG).read_text()
        config = yaml.safe_load(text)
        recorded, known = manifest["config_sha256"], manifest["format"]
    except (json.JSONDecodeError, yaml.YAMLError, KeyError, UnicodeDecodeError) as error:
        raise BadInput(
            f"the records of {path} cannot be read ({error})", "unedited manifest and config", "train it again"
        ) from None
    if known > FORMAT:
        raise BadInput(f"a run of format {known}", f"format {FORMAT} or older", "update pushforward")
    if hashlib.sha256(text.encode()).hexdigest() != recorded:
        raise BadInput(
            f"{path / CONFIG} was edited after training",
            "the configuration that the weights were trained with",
            "undo the edit, or train a new run with the settings you want",
        )
    weights = path / WEIGHTS
    if manifest["status"] == "complete":
        if not weights.is_file():
            raise BadInput(f"{weights} is missing", "the weights of a complete run", "restore the file or train again")
        if sha256_of(weights) != manifest["weights_sha256"]:
            raise BadInput(
                f"{weights} does not match its fingerprint",
                f"the file whose SHA-256 begins with {manifest['weights_sha256'][:12]}",
                "it was truncated or replaced; restore it or train again",
            )
    return RunRecord(path, config, manifest)
