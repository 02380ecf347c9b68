"""Models are final: whoever wants another one puts an object in the place of another, and overrides nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES, STUDENTS

SOURCE = Path(__file__).resolve().parents[2] / "src" / "pushforward"


def classes() -> list[ast.ClassDef]:
    trees = (ast.parse(path.read_text()) for path in SOURCE.rglob("*.py"))
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def ends_in(node: ast.expr) -> str:
    """The last name of `a`, `a.b` or `a[b]`."""
    inner = node.value if isinstance(node, ast.Subscript) else node
    return inner.attr if isinstance(inner, ast.Attribute) else ast.unparse(inner)


@pytest.mark.parametrize("name", [*FAMILIES.names(), *STUDENTS.names()])
def test_a_model_is_final(name: str) -> None:
    assert getattr(family_class(name), "__final__", False)


def test_no_class_is_derived_from_a_final_one() -> None:
    found = classes()
    final = {node.name for node in found if any(ends_in(d) == "final" for d in node.decorator_list)}
    derived = {
        (node.name, ends_in(base))
        for node in found
        for base in node.bases
        if ends_in(base) in final
    }
    assert {"Flow", "VAE", "GAN", "Gaussian"} <= final
    assert not derived


def test_no_object_becomes_one_of_another_class() -> None:
    assigned = [
        ast.unparse(node)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and any(ends_in(target) == "__class__" for target in node.targets)
    ]
    assert not assigned
