"""Compilation of kernels, each time in a process of its own with a package of two kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import seqbio

SAID = "seqbio: compiling kernels (about 15 s, once after an installation)\n"
CALLER = """
from seqbio.core.compiled import compiled
from seqbio.callee import callee

@compiled
def caller(x):
    return callee(x) + 1
"""
CALLEE = """
from seqbio.core.compiled import compiled

@compiled
def callee(x):
    return x * {factor}
"""


@pytest.fixture
def package(tmp_path):
    """Return a folder with a package called seqbio: the real decorator and two kernels."""
    source = Path(seqbio.__file__).parent / "core" / "compiled.py"
    core = tmp_path / "installed" / "seqbio" / "core"
    core.mkdir(parents=True)
    (core / "compiled.py").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    for folder in (core, core.parent):
        (folder / "__init__.py").touch()
    (core.parent / "caller.py").write_text(CALLER)
    (core.parent / "callee.py").write_text(CALLEE.format(factor=2))
    return core.parent


def start(package, **environment):
    """Start a process that prints what the kernel makes of 5."""
    code = "from seqbio.caller import caller; print(caller(5))"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    caches = dict.fromkeys(
        ("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"), str(package.parent / "cache")
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=package.parent,
        env=inherited | caches | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(package, **environment):
    """Return what such a process printed, and what it said on the way."""
    process = start(package, **environment)
    printed, said = process.communicate()
    assert process.returncode == 0, said
    return int(printed), said


def test_kernels_are_compiled_once_and_then_loaded(package):
    assert run(package) == (11, SAID)
    assert run(package) == (11, "")


def test_a_change_in_what_a_kernel_calls_is_seen(package):
    run(package)
    (package / "callee.py").write_text(CALLEE.format(factor=3))
    assert run(package) == (16, SAID)
    assert len(list((package / "__pycache__" / "kernels").iterdir())) == 1


def test_a_package_that_cannot_be_written_is_compiled_into_the_cache_of_the_user(package):
    (package / "__pycache__").write_text("a file, so that no folder can be made")
    assert run(package) == (11, SAID)
    assert list((package.parent / "cache").rglob("*.nbi"))
    assert run(package) == (11, "")


def test_without_any_folder_kernels_work_and_it_is_said_how_to_keep_them(package):
    (package / "__pycache__").write_text("a file, so that no folder can be made")
    (package.parent / "cache").write_text("here too")
    for _ in range(2):
        result, said = run(package)
        assert result == 11
        assert said.count("\n") == 1
        assert "set NUMBA_CACHE_DIR" in said


def test_the_folder_of_numba_is_respected(package, tmp_path):
    folder = tmp_path / "chosen"
    assert run(package, NUMBA_CACHE_DIR=str(folder)) == (11, SAID)
    assert list(folder.rglob("*.nbi"))
    assert not list(package.rglob("*.nbi"))
    assert run(package, NUMBA_CACHE_DIR=str(folder)) == (11, "")


def test_processes_that_compile_at_once_do_no_harm(package):
    processes = [start(package) for _ in range(4)]
    printed = [process.communicate()[0] for process in processes]
    assert printed == ["11\n"] * 4
    assert run(package) == (11, "")


def test_kernels_run_as_python_where_compilation_is_off(package):
    assert run(package, NUMBA_DISABLE_JIT="1") == (11, "")
