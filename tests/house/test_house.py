"""The house rules that a reader relies on: short files, short functions, documented names, no global state."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "pushforward"
FILES = sorted(SOURCE.rglob("*.py"))
MODULES = [f for f in FILES if f.name not in ("__init__.py", "__main__.py")]


def name(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_files_are_short() -> None:
    lines = {name(path): len(path.read_text().splitlines()) for path in FILES}
    assert {path: count for path, count in lines.items() if count > 400} == {}


def test_functions_are_short() -> None:
    long = [
        f"{name(path)}:{node.lineno} {node.name} has {lines} lines"
        for path in FILES
        for node in functions(ast.parse(path.read_text()))
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > 60
    ]
    assert long == []


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Yield what is public in a module and has no docstring."""
    if not ast.get_docstring(tree):
        yield "the module"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield node.name
            for member in node.body if isinstance(node, ast.ClassDef) else []:
                # forward is torch's name for calling a module, documented by its class
                if (
                    isinstance(member, ast.FunctionDef)
                    and not member.name.startswith("_")
                    and member.name != "forward"
                    and not ast.get_docstring(member)
                ):
                    yield f"{node.name}.{member.name}"


def test_public_names_are_documented() -> None:
    found = [
        f"{name(path)}: {what}"
        for path in MODULES
        for what in undocumented(ast.parse(path.read_text()))
    ]
    assert found == []


def test_a_name_without_a_docstring_is_found() -> None:
    source = "def f(): pass\ndef _g(): pass\nclass C:\n  'C.'\n  def m(self): pass\n  def forward(self): pass"
    assert list(undocumented(ast.parse(source))) == ["the module", "f", "C.m"]
    assert list(undocumented(ast.parse('"M."'))) == []


def test_inner_packages_are_plain_folders() -> None:
    for path in SOURCE.rglob("__init__.py"):
        # the course is a face of its own: `from pushforward.course import check`
        if path.parent not in (SOURCE, SOURCE / "course"):
            assert path.read_text().strip() == "", f"{name(path)} is not empty"


def test_no_pickle_no_exec_no_global_seeds() -> None:
    forbidden = {
        "pickle",
        "torch.save",
        "torch.load",
        "exec",
        "eval",
        "torch.manual_seed",
        "torch.default_generator.manual_seed",
        "np.random.seed",
    }
    allowed = {
        (
            "families/build.py",
            "torch.default_generator.manual_seed",
        ),  # inside fork_rng, see its docstring
        ("evaluation/features/weights_file.py", "torch.load"),  # tensors only, see below
    }
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in forbidden or (name(path), called) in allowed, (
                    f"{name(path)} calls {called}"
                )
                if called == "torch.load":
                    assert "weights_only=True" in ast.unparse(node), f"{name(path)} unpickles"


def test_help_is_fast_and_imports_no_torch() -> None:
    code = (
        "import sys, pushforward.faces.cli.main as m\n"
        "try:\n    m.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules, 'heavy import'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT / "src"
    )
    assert done.returncode == 0, done.stderr
    assert "compare" in done.stdout


def test_import_has_no_side_effect_on_torch() -> None:
    code = (
        "import torch, warnings\n"
        "before = (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(), torch.initial_seed())\n"
        "import pushforward, pushforward.core.model, pushforward.families.build\n"
        "assert before == (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(), torch.initial_seed())"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT / "src")


def test_every_test_that_the_documents_name_exists() -> None:
    named = {
        (path, name)
        for page in sorted((ROOT / "docs").glob("*.md"))
        for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text())
    }
    assert len(named) > 20
    missing = [
        f"{path}::{name}"
        for path, name in sorted(named)
        if f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert not missing


def test_what_is_named_by_a_string_exists() -> None:
    named = {
        (name(path), node.value)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(r"pushforward(\.\w+)+:\w+", node.value)
    }
    assert len(named) > 50
    for where, target in sorted(named):
        module, attribute = target.split(":")
        assert hasattr(importlib.import_module(module), attribute), f"{where} names {target}"
