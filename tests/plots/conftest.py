"""What the tests of figures share: the backend without a screen, and figures closed again."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def figures_on_paper():
    matplotlib = pytest.importorskip("matplotlib", reason="figures need matplotlib")
    before = matplotlib.get_backend()
    matplotlib.use("Agg")
    yield
    from matplotlib import pyplot

    pyplot.close("all")
    matplotlib.use(before)
