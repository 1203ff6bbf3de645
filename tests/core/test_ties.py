"""Ties are declared once, and every family's estimator reads its table alike."""

from __future__ import annotations

import numpy as np
import pytest

import seqbio
from seqbio.core import Layout, Tying, equal, fixed, untied
from seqbio.core.ties import Tie, TieTable, along
from seqbio.errors import TyingError

FAMILIES = (seqbio.MarkovModel, seqbio.MotifDetector, seqbio.PairHMM, seqbio.RecurrentModel)

TOY = TieTable[int](
    "a toy",
    [
        Tie("first", "the first two are alike", lambda n, tying: tying.with_equal([[0, 1]])),
        Tie(
            "ends",
            "the ends are alike",
            lambda n, tying: tying.with_equal([[0, n - 1]]),
            lambda n: "" if n > 2 else f"3 numbers; there are {n}",
        ),
    ],
)


@pytest.mark.parametrize("start", [untied(6), equal(6, [1, 2]), fixed(6, [3], 5.0)])
def test_equal_rows_are_an_intersection(start):
    rows = [[0, 2], [4, 5]], [[1, 2, 5]]
    expected = start.intersect(equal(6, [0, 2], [4, 5], [1, 2, 5]))
    assert start.with_equal(*rows) == expected
    assert start.with_equal() == start
    with pytest.raises(TyingError):
        fixed(6, [0, 1], [1.0, 2.0]).with_equal([[0, 1]])


def test_signs_of_what_is_tied_already_are_kept():
    opposite = Tying([0, 0, 1], [1, -1, 1])
    np.testing.assert_array_equal(opposite.with_equal([[1, 2]]).expand([3.0]), [3, -3, -3])


def test_a_table_ties_by_name_in_its_own_order():
    assert TOY.meanings() == {"first": "the first two are alike", "ends": "the ends are alike"}
    both = TOY.tying(("ends", "first"), 4, untied(4))
    assert both == equal(4, [0, 1, 3])
    assert TOY.tying((), 4, both) == both
    with pytest.raises(TyingError, match="tie 'ends' needs 3 numbers; there are 2"):
        TOY.tying(("ends",), 2, untied(2))


@pytest.mark.parametrize("names", ["first", 3, None, {"first"}])
def test_names_are_a_tuple(names):
    with pytest.raises(TyingError, match=r'give a tuple of names, such as \("first",\)'):
        TOY.checked(names)


def test_an_unknown_name_is_refused_with_those_that_are_known():
    with pytest.raises(
        TyingError, match=r"'frist'.*did you mean 'first'.*a toy has 'first': the fi"
    ):
        TOY.checked(["frist"])


def test_rows_along_an_axis():
    layout = Layout({"other": (2,), "table": (2, 3)})
    assert along(layout, "table").tolist() == [[2, 5], [3, 6], [4, 7]]
    assert along(layout, "table", 1).tolist() == [[2, 3, 4], [5, 6, 7]]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_lists_its_ties_and_refuses_others(family):
    assert all(meaning and not meaning.endswith(".") for meaning in family.ties().values())
    example = next(iter(family.ties()))
    with pytest.raises(TyingError, match=f"no tie 'x{example}'"):
        family(tie=(f"x{example}",))._tie_names()
    assert family(tie=(example,))._tie_names() == (example,)
    assert family(tie=untied(1))._tie_names() == ()
