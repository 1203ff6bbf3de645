"""Logos: drawn where logomaker is, and asked for where it is not."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from seqbio.errors import MissingDependencyError
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
