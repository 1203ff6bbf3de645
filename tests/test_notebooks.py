"""The notebooks run, import only public names, and go on where real data are missing."""

from __future__ import annotations

import ast
import importlib
import os
import runpy
from pathlib import Path

import pytest

import seqbio
from seqbio import datasets
from seqbio.errors import DatasetError

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))
each = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda file: file.stem)


def tree_of(notebook):
    return ast.parse(notebook.read_text(encoding="utf-8"), str(notebook))


def names_of_sets(tree):
    """Find the strings in a notebook that are names of data sets."""
    known = set(datasets.names())
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [value for value in strings if isinstance(value, str) and value in known]


def test_there_are_notebooks_and_the_folder_lists_them():
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert NOTEBOOKS
    assert not [file.name for file in NOTEBOOKS if f"`{file.name}`" not in listed]


@each
def test_only_public_names_are_imported(notebook):
    tree = tree_of(notebook)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= {"numpy", "seqbio"}
        elif isinstance(node, ast.ImportFrom):
            assert node.module.split(".")[0] == "seqbio"
            public = importlib.import_module(node.module).__all__
            assert {alias.name for alias in node.names} <= set(public)
        elif isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")
            if isinstance(node.value, ast.Name) and node.value.id == "seqbio":
                assert node.attr in seqbio.__all__


@each
def test_sets_that_may_be_missing_have_something_in_their_place(notebook):
    tree = tree_of(notebook)
    shipped = {file.name for file in (FOLDER.parent / "data").iterdir()}
    missing = [
        name
        for name in names_of_sets(tree)
        if Path(datasets.describe(name).file).name not in shipped
    ]
    handled = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and node.type is not None
        and ast.unparse(node.type) == "seqbio.errors.DatasetError"
    ]
    assert bool(handled) == bool(missing)


def run(notebook, monkeypatch):
    pytest.importorskip("matplotlib", reason="notebooks draw with matplotlib")
    pytest.importorskip("logomaker", reason="notebooks draw logos with logomaker")
    from matplotlib import pyplot

    monkeypatch.setenv("MPLBACKEND", "Agg")
    pyplot.switch_backend("Agg")
    try:
        runpy.run_path(str(notebook), run_name="__main__")
        return [pyplot.figure(number) for number in pyplot.get_fignums()]
    finally:
        pyplot.close("all")


@pytest.mark.slow
@each
def test_it_runs_with_the_data_of_the_package_alone(notebook, monkeypatch, capsys):
    def unreachable(dataset, url):
        raise DatasetError(f"{dataset.name} cannot be downloaded in a test")

    monkeypatch.delenv(datasets.DATA_VARIABLE, raising=False)
    monkeypatch.setattr(datasets, "_download", unreachable)
    figures = run(notebook, monkeypatch)
    assert figures
    printed = capsys.readouterr().out
    if notebook.stem != "trust":  # which needs no files
        assert "not at hand" in printed


@pytest.mark.slow
@each
def test_it_runs_with_real_data(notebook, monkeypatch, capsys):
    if not os.environ.get(datasets.DATA_VARIABLE):
        pytest.skip(f"needs {datasets.DATA_VARIABLE}, the folder of real data")
    assert run(notebook, monkeypatch)
    assert "not at hand" not in capsys.readouterr().out
