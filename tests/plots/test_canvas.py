"""Axes are those given or new ones, and a missing matplotlib is named."""

from __future__ import annotations

import inspect
import sys

import pytest

from seqbio import plots
from seqbio.errors import MissingDependencyError
from seqbio.plots.canvas import STYLES, axes_or_new
from seqbio.recurrent.gradient_flow import GradientFlow


def flow():
    import numpy as np

    return GradientFlow(np.arange(2), np.ones((1, 2)))


def test_every_function_takes_axes_by_name_and_gives_them_back():
    from matplotlib.figure import Figure

    for name in plots.__all__:
        parameters = inspect.signature(getattr(plots, name)).parameters
        assert parameters["ax"].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters["ax"].default is None
        assert inspect.signature(getattr(plots, name)).return_annotation == "Axes"
    axes = Figure().add_subplot()
    assert plots.gradient_flow(flow(), ax=axes) is axes


def test_new_figures_have_the_size_asked_for():
    assert axes_or_new(None, (3.0, 2.0)).figure.get_size_inches().tolist() == [3.0, 2.0]


def test_styles_differ_in_colour_line_and_marker():
    for part in zip(*STYLES, strict=True):
        assert len({str(each) for each in part}) == len(STYLES)


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"seqbio\[plot\]"):
        plots.gradient_flow(flow())
