"""The conventions of the project that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "seqbio").rglob("*.py"))
each_module = pytest.mark.parametrize(
    "module", MODULES, ids=[str(file.relative_to(ROOT)) for file in MODULES]
)

HEAVY = {
    "Bio.Align",
    "dask",
    "distributed",
    "llvmlite",
    "logomaker",
    "matplotlib",
    "numba",
    "pooch",
    "scipy.optimize",
    "scipy.stats",
    "torch",
}
RANDOM_CLASSES = {"BitGenerator", "Generator", "PCG64", "Philox", "SeedSequence", "default_rng"}
LOCAL_PATH = re.compile(r"(?<![\w.~])/(?:home|root|work|tmp|opt|srv|mnt|Users)/")
PACKAGE_INDEX = re.compile(r"pypi\.org|pythonhosted\.org|anaconda\.org|index[-_]url")


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Yield the public names of a module that have no docstring, the module itself included."""

    def visit(node: ast.AST, prefix: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if child.name.startswith("_") or _completes_another(child):
                continue
            if ast.get_docstring(child) is None:
                yield prefix + child.name
            if isinstance(child, ast.ClassDef):
                yield from visit(child, f"{prefix}{child.name}.")

    if ast.get_docstring(tree) is None:
        yield "the module"
    yield from visit(tree, "")


def _completes_another(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a definition is an overload, setter or deleter of a documented one."""
    decorators = {ast.unparse(decorator).rsplit(".", 1)[-1] for decorator in node.decorator_list}
    return bool(decorators & {"overload", "setter", "deleter"})


def test_the_check_for_docstrings_sees_what_is_missing():
    source = "class A:\n    'yes'\n    def f(self): ...\n    def _g(self): ...\ndef h(): 'yes'\n"
    assert list(undocumented(ast.parse(source))) == ["the module", "A.f"]


@each_module
def test_every_public_name_is_documented(module):
    assert not list(undocumented(ast.parse(module.read_text(encoding="utf-8"))))


@each_module
def test_library_code_raises_and_never_asserts(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


@each_module
def test_no_global_random_generator(module):
    # Read as text, so that docstrings and their examples count too.
    text = module.read_text(encoding="utf-8")
    functions = set(re.findall(r"\b(?:np|numpy)\.random\.(\w+)", text))
    assert functions <= RANDOM_CLASSES
    assert not re.findall(r"^\s*(?:import random\b|from random import).*", text, re.MULTILINE)
    assert not re.findall(r"^\s*from numpy\.random import.*", text, re.MULTILINE)


def test_import_is_light():
    code = "import sys, seqbio; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert HEAVY.isdisjoint(run.stdout.split())


@pytest.fixture(scope="module")
def tracked_texts():
    """Return the tracked text files as a map from name to text."""
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if run.returncode != 0:
        pytest.skip("not a git checkout")
    texts = {}
    for name in run.stdout.decode().split("\0"):
        file = ROOT / name
        content = file.read_bytes() if file.is_file() else b""
        if b"\0" not in content:
            texts[name] = content.decode("utf-8", errors="replace")
    return texts


@pytest.mark.parametrize("pattern", [LOCAL_PATH, PACKAGE_INDEX], ids=["path", "package index"])
def test_no_file_names_a_place_of_one_machine(tracked_texts, pattern):
    found = {
        f"{name}: {match.group()}"
        for name, text in tracked_texts.items()
        for match in pattern.finditer(text)
    }
    assert not found


def test_every_part_of_the_package_is_found_from_its_name():
    code = (
        "import seqbio\n"
        "for name in dir(seqbio):\n"
        "    found = getattr(seqbio, name)\n"
        "    if type(found) is type(seqbio): print(name)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    there = {file.stem for file in (ROOT / "seqbio").glob("[a-z]*.py")}
    there |= {file.parent.name for file in (ROOT / "seqbio").glob("*/__init__.py")}
    assert set(run.stdout.split()) == there
