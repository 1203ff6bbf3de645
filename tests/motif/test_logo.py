"""Logos: drawn where logomaker is, and asked for where it is not."""

from __future__ import annotations

import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from seqbio.errors import MissingDependencyError, ParameterError
from seqbio.motif import make_motif
from seqbio.motif.logo import draw_logos


def motif(name):
    return make_motif(np.eye(4)[[0, 1, 2]].T * 9 + [[1], [0], [0], [0]], name)


def test_logos_are_drawn_below_each_other(tmp_path):
    pytest.importorskip("logomaker")
    figure = draw_logos([motif("one"), motif("two")], tmp_path / "logos.png")
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    assert figure.axes[0].get_ylim() == (0, 2)
    assert (tmp_path / "logos.png").read_bytes().startswith(b"\x89PNG")


def test_without_logomaker_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "logomaker", None)
    with pytest.raises(MissingDependencyError, match=r"seqbio\[plot\]"):
        draw_logos(motif("one"))


@pytest.mark.parametrize("name", ["$x$", "a$b", r"$\frac$", "<x>&", "--", "é", "_"])
def test_a_title_is_the_name_as_it_is(tmp_path, name):
    figure = draw_logos(make_motif(np.eye(4), name), tmp_path / "x.svg")
    [axes] = figure.axes
    assert (axes.title.get_text(), axes.title.get_parse_math()) == (name, False)
    ElementTree.parse(tmp_path / "x.svg")


@pytest.mark.parametrize(
    ("name", "begins"),
    [("x.png", b"\x89PNG"), ("x.PDF", b"%PDF"), ("x.svg", b"<?xml"), ("x", b"\x89PNG")],
)
def test_the_ending_gives_the_format(tmp_path, name, begins):
    draw_logos(make_motif(np.eye(4), "m"), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_an_unknown_format_or_a_failure_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    motif = make_motif(np.eye(4), "m")
    for name in ("x.doc", "x.svg"):
        (tmp_path / name).write_text("old")
    with pytest.raises(
        ParameterError, match=r"cannot draw '.*x.doc'; end its name in one of .*png"
    ):
        draw_logos(motif, tmp_path / "x.doc")

    def half(self, stream, **_):
        stream.write(b"<svg>")
        raise OSError("no more room")

    monkeypatch.setattr(Figure, "savefig", half)
    with pytest.raises(OSError, match="no more room"):
        draw_logos(motif, tmp_path / "x.svg")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "x.doc": "old",
        "x.svg": "old",
    }
