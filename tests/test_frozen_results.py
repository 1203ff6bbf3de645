"""A rebuild changes no result: exactly where it was kept, and up to rounding elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.frozen_results import FILE, RESULTS, TOLERANCES, machine, summary

KEPT = [
    (name, where, kept)
    for where, results in json.loads(FILE.read_text()).items()
    for name, kept in results.items()
]


def test_all_results_are_kept_once():
    assert sorted(name for name, *_ in KEPT) == sorted(RESULTS)
    assert len(RESULTS) >= 50


@pytest.mark.parametrize(("name", "where", "kept"), KEPT, ids=[name for name, *_ in KEPT])
def test_results_stay_as_they_are(name, where, kept):
    """To the last bit on the kind of machine that kept a result; else see `result`."""
    found = summary(name)
    if where == machine():
        assert found == kept
    assert found["size"] == kept["size"]
    for part in ("numbers", "norm"):
        mine, others = ([float.fromhex(n) for n in np.ravel(each[part])] for each in (found, kept))
        scale = np.abs([other for other in others if np.isfinite(other)]).max(initial=0.0)
        np.testing.assert_allclose(mine, others, rtol=0, atol=TOLERANCES[name] * scale)
