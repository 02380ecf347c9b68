"""The counts by which the house is judged: run `python tests/house/counts.py [SRC]` to see them.

Each is something that made a change hard: parameters that travel through a tunnel, two classes of one name, a switch on the kind of
data, lines that nobody reads to the end, definitions that only their own test uses.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "pushforward"
MOST_PARAMETERS, LONG = 8, 100
SPACES = {"Points", "Image", "Text", "Table"}
ENCODINGS = {"Encoding", "RowsEncoding", "PointsEncoding", "TableEncoding", "TextEncoding"}
KINDS = {"points", "image", "table", "text"}


def trees(source: Path = SOURCE) -> Iterator[tuple[str, ast.Module]]:
    """Yield every module's path below the package, and its syntax."""
    for path in sorted(source.rglob("*.py")):
        yield str(path.relative_to(source)), ast.parse(path.read_text())


def long_signatures(source: Path = SOURCE) -> list[str]:
    """Return functions with more than eight parameters, `self` and `cls` not counted."""
    found = []
    for path, tree in trees(source):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                a = node.args
                names = [
                    p.arg
                    for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)
                    if p.arg not in ("self", "cls")
                ]
                if len(names) > MOST_PARAMETERS:
                    found.append(f"{path}:{node.lineno} {node.name} has {len(names)}")
    return found


def repeated_classes(source: Path = SOURCE) -> dict[str, list[str]]:
    """Return public names that more than one class has, with their files."""
    homes = defaultdict(list)
    for path, tree in trees(source):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(path)
    return {name: paths for name, paths in sorted(homes.items()) if len(paths) > 1}


def kind_switches(source: Path = SOURCE) -> list[str]:
    """Return the places that ask which kind of data something is, by the class of a space or an encoding, or by name.

    However it is spelled: `isinstance`, `issubclass`, a class pattern, `type(x) is`, a dictionary keyed by classes, a comparison
    with the name of a kind, an encoding that is or is not there, an attribute that only some of them have.
    """
    found = []
    for path, tree in trees(source):
        said = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assert)
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if id(node) not in said and _is_switch(node):  # an assertion branches nowhere
                found.append(f"{path}:{_line(node)} {ast.unparse(node)[:80]}")
    return found


def _line(node: ast.AST) -> int:
    return next((n.lineno for n in ast.walk(node) if hasattr(n, "lineno")), 0)


def _names_a_class(node: ast.AST | None) -> bool:
    """Return whether an expression names the class of a space or of an encoding."""
    return node is not None and any(
        isinstance(n, ast.Name) and n.id in SPACES | ENCODINGS for n in ast.walk(node)
    )


def _is_switch(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, classes]):
            return _names_a_class(classes)
        case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[of, ast.Constant(), *_]):
            return ast.unparse(of).endswith(("encoding", "space"))
        case ast.MatchClass():
            return _names_a_class(node.cls)
        case ast.MatchValue(value=ast.Constant(value=str() as word)):
            return word in KINDS
        case ast.Dict():
            return any(isinstance(key, ast.Name) and _names_a_class(key) for key in node.keys)
        case ast.Compare():
            return _compares_kinds(node)
        case ast.If() | ast.IfExp() | ast.While():
            return _is_encoding(node.test)
        case ast.BoolOp():
            return any(map(_is_encoding, node.values))
        case ast.Try():
            tried = " ".join(map(ast.unparse, node.body))
            caught = " ".join(ast.unparse(one.type) for one in node.handlers if one.type)
            return "AttributeError" in caught and bool(re.search(r"\b(encoding|space)\b", tried))
    return False


def _is_encoding(node: ast.AST) -> bool:
    """Return whether an encoding, or whether it names a kind, stands for true or false."""
    bare = node.operand if isinstance(node, ast.UnaryOp) else node
    return ast.unparse(bare).endswith(("encoding", "encoding.kind"))


def _compares_kinds(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    spelled = [ast.unparse(side) for side in sides]
    if isinstance(node.ops[0], ast.Is | ast.IsNot) and "None" in spelled:
        return any(side.endswith(("encoding", "encoding.kind")) for side in spelled)
    if "type(" in spelled[0] or spelled[0].endswith("__class__"):
        return any(map(_names_a_class, sides))
    listed = [item for side in sides for item in (side, *getattr(side, "elts", []))]
    words = {item.value for item in listed if isinstance(item, ast.Constant)}
    of_a_kind = any("kind" in side or ".holds" in side for side in spelled)
    return of_a_kind and bool(words & KINDS)


def long_lines(source: Path = SOURCE) -> tuple[int, int]:
    """Return how many lines are longer than a hundred characters, and how many there are."""
    lines = [line for path in source.rglob("*.py") for line in path.read_text().splitlines()]
    return sum(len(line) > LONG for line in lines), len(lines)


def only_tested(source: Path = SOURCE) -> list[str]:
    """Return public functions and classes that nothing but tests names."""
    text = "\n".join(path.read_text() for path in source.rglob("*.py"))
    others = [ROOT / "benchmarks", ROOT / "course", ROOT / "docs", ROOT / "README.md"]
    files = [
        p
        for at in others
        for p in ([at] if at.is_file() else [*at.rglob("*.py"), *at.rglob("*.md")])
    ]
    words = defaultdict(int)
    for word in re.findall(r"\w+", text + "\n".join(p.read_text() for p in files)):
        words[word] += 1
    found = []
    for path, tree in trees(source):
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                own = len(re.findall(rf"\b{node.name}\b", ast.get_docstring(node) or ""))
                if words[node.name] - own <= 1:
                    found.append(f"{path}:{node.lineno} {node.name}")
    return found


def main() -> None:
    """Print the counts, and with `-v` what was counted."""
    source = next((Path(word) for word in sys.argv[1:] if not word.startswith("-")), SOURCE)
    long, all_lines = long_lines(source)
    counted = {
        f"functions of more than {MOST_PARAMETERS} parameters": long_signatures(source),
        "public class names that occur twice": [
            f"{name}: {', '.join(p)}" for name, p in repeated_classes(source).items()
        ],
        "switches on the kind of data": kind_switches(source),
        "definitions that only tests use": only_tested(source),
    }
    for what, found in counted.items():
        print(f"{len(found):5} {what}")
        if "-v" in sys.argv:
            print("".join(f"      {one}\n" for one in found), end="")
    print(
        f"{100 * long / all_lines:5.1f} % of {all_lines:,} lines are longer than {LONG} characters"
    )


if __name__ == "__main__":
    main()
