"""Schema files: what every column of a table is, in YAML that a person can read and change.

Two ideas: what is written is what `-s data.*` says, so a file is nothing but those settings at one
place; what a file does not say is inferred, so that one of two lines works.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from pushforward.core.errors import BadInput, a_json_type, nearest, written_in
from pushforward.data.tables.declaration import UNSAID, ColumnDeclaration, declaration_of
from pushforward.data.tables.findings import ColumnFinding

TABLE = ("kind", "header", "group", "protect", "bounds", "keep")
LARGEST = 16 * 2**20  # bytes: 20,000 columns with their reasons are less
_WIDTH = 96
_HEAD = """\
What pushforward takes {name} for. Change what is wrong and give it back:
  pushforward data describe {name} --schema FILE, or train, or compare
A column, or a line of one, that is left out is inferred. Kinds: `pushforward data kinds`."""


class _Reader(yaml.SafeLoader):
    """YAML 1.2 of plain values: NO is a country and 12:30 a time; no name stands twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping whose names are the texts that they are written as.

        Raises:
            BadInput: a name that stands twice, or is no text.
        """
        other = next((key for key, _ in node.value if not isinstance(key, yaml.ScalarNode)), None)
        if other is not None:
            raise BadInput(
                f"a list or a mapping as a name in line {other.start_mark.line + 1}", "text"
            )
        names = [key.value for key, _ in node.value]
        twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
        if twice is not None:
            line = node.value[max(i for i, name in enumerate(names) if name == twice)][0]
            raise BadInput(
                f"'{twice}' a second time in line {line.start_mark.line + 1}",
                "each name once",
                "leave one of them out",
            )
        values = [self.construct_object(value, deep=True) for _, value in node.value]
        return dict(zip(names, values, strict=True))


class _Writer(yaml.SafeDumper):
    """Quotes every word that YAML 1.1 or 1.2 would take for something else."""


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        list("-+0123456789."),
    ),
):
    for _either in (_Reader, _Writer):
        _either.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def settings_of_schema(schema: Any) -> dict[str, Any]:
    """Return what a schema says, as settings of data: `group`, `protect`, `columns.NAME`, ...

    Args:
        schema: the path of a file, or what such a file holds.

    Raises:
        BadInput: no such file, no YAML, another shape, an unknown kind or key (with the nearest).

    Example:
        >>> settings_of_schema({"protect": 3, "columns": {"size": ["S", "M"], "day": "day-first"}})
        {'protect': 3, 'columns.size': {'kind': 'ordinal', 'levels': ['S', 'M']}, 'columns.day': {'reading': 'day-first'}}
    """
    if isinstance(schema, str | Path):
        with written_in(f"the schema {schema}"):
            return _settings(_read(Path(schema)))
    return _settings(schema)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise BadInput(
            "no file", "a schema", "`pushforward data describe DATA --schema > FILE` writes one"
        )
    if path.stat().st_size > LARGEST:
        raise BadInput(f"{path.stat().st_size:,} bytes", f"a schema of at most {LARGEST:,}")
    try:
        return yaml.load(path.read_text("utf-8-sig"), Loader=_Reader)
    except UnicodeDecodeError:
        raise BadInput("no text", "YAML in UTF-8") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" in line {mark.line + 1}"
        said = getattr(error, "problem", None) or "it is nested too deeply or holds no plain values"
        raise BadInput(
            f"no YAML{where} ({said})", "YAML, such as `columns: {age: integer}`"
        ) from None


def _settings(found: Any) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        raise BadInput(
            f"{a_json_type(found)} as a schema",
            "names with values, and `columns:` with an entry for each column",
            "`pushforward data describe DATA --schema` shows one",
        )
    known = (*TABLE, "columns")
    unknown = next((key for key in found if key not in known), None)
    if unknown is not None:
        where = " (a column stands below `columns:`)" if "columns" not in found else ""
        raise BadInput(
            f"'{unknown}' in a schema",
            "one of " + ", ".join(known) + where,
            nearest(str(unknown), known).partition("known:")[0],
        )
    columns = found.get("columns")
    columns = {} if columns is None else columns
    if not isinstance(columns, Mapping):
        raise BadInput(
            f"columns: {a_json_type(columns)}", "an entry for each column, such as `age: integer`"
        )
    settings = {key: found[key] for key in TABLE if found.get(key) is not None}
    for key in ("header",):
        settings |= {key: _word(settings[key])} if key in settings else {}
    for name, said in columns.items():
        own = declaration_of(str(name), said)
        if own != UNSAID:
            settings[f"columns.{name}"] = plain(own)
    return settings


def _word(said: Any) -> str:
    return {True: "yes", False: "no"}.get(said, str(said)) if isinstance(said, bool) else str(said)


def plain(own: ColumnDeclaration) -> dict[str, Any]:
    """Return a declaration as values that JSON and YAML have, without what is not said.

    Example:
        >>> plain(ColumnDeclaration("integer", range=(0.0, None)))
        {'kind': 'integer', 'range': [0, None]}
    """
    said = {key: value for key, value in asdict(own).items() if value not in ("", (), None)}
    return {key: _plain(value) for key, value in said.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2.0**53
    return int(value) if whole else value


def schema_record(findings: Sequence[ColumnFinding], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a table as values that JSON has.

    Args:
        findings: what was found of every column.
        settings: of the data, of which those of the table go into the schema.
    """
    usual = {"kind": "table", "protect": 5, "bounds": "natural"}
    group = "".join(finding.label for finding in findings if finding.kind == "group")
    table = {**usual, **({"group": group} if group else {})}
    table |= {key: settings[key] for key in ("header", "protect", "bounds") if key in settings}
    columns = {finding.label: _entry(finding) for finding in findings}
    return {**{key: table[key] for key in TABLE if key in table}, "columns": columns}


def _entry(finding: ColumnFinding) -> Any:
    said = plain(finding.declaration)
    return said["kind"] if list(said) == ["kind"] else said


def schema_text(name: str, findings: Sequence[ColumnFinding], settings: Mapping[str, Any]) -> str:
    """Return a schema file, every column with how sure it is, why, and what to check.

    Args:
        name: of the data, as they are named on the command line.
    """
    record = schema_record(findings, settings)
    lines = [f"# {line}" for line in _HEAD.format(name=name).splitlines()]
    for key, value in record.items():
        if key != "columns":
            lines.append(f"{key}: {_flow(value)}")
    lines.append("columns:")
    for finding in findings:
        lines += _comment(f"{finding.confidence}: {finding.reason}")
        lines += [line for check in finding.checks for line in _comment(f"CHECK {check}")]
        entry = record["columns"][finding.label]
        if isinstance(entry, str):
            lines.append(f"  {_flow(finding.label)}: {entry}")
            continue
        lines.append(f"  {_flow(finding.label)}:")
        lines += [f"    {key}: {_flow(value)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    plain_text = " ".join(text.split())
    return textwrap.wrap(
        plain_text,
        _WIDTH,
        initial_indent="  # ",
        subsequent_indent="  #   ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _flow(value: Any) -> str:
    """Return a value on one line of YAML."""
    how: dict[str, Any] = {"default_flow_style": True, "width": 2**30, "allow_unicode": True}
    text = yaml.dump(value, Dumper=_Writer, sort_keys=False, **how)
    return text.removesuffix("...\n").rstrip("\n")
