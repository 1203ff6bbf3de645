import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.core import fingerprint
from seqbio.errors import ParameterError

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary()
)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def typed(tree):
    """Write a tree so that 1, 1.0 and True differ, as they do for fingerprints."""
    if isinstance(tree, dict):
        return "mapping", sorted((key, typed(value)) for key, value in tree.items())
    if isinstance(tree, list):
        return [typed(value) for value in tree]
    return repr(tree)


@given(trees, trees)
def test_equal_exactly_when_the_content_is(one, other):
    assert (fingerprint(one) == fingerprint(other)) == (typed(one) == typed(other))


def test_published_values_stay():
    """Fingerprints are written to files, so they must not change between versions."""
    assert fingerprint(None) == "0106c8b1e01fdc9287e2bc636784f0f6"
    assert fingerprint(np.arange(4.0)) == "3e2d2ce269a64cc6a477725f16e7b502"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
        (np.arange(6), np.arange(12)[::2] // 2),
        (np.arange(3, dtype="<i8"), np.arange(3, dtype=">i8")),
        (np.array(["ab", "c"]), np.array(["ab", "c"]).astype(">U2")),
        (np.float64(1.5), 1.5),
        (np.int8(3), 3),
        (np.bool_(True), True),
        ((1, [2]), [1, (2,)]),
        ({"a": 1, 2: "b"}, {2: "b", "a": 1}),
        (bytearray(b"ab"), b"ab"),
        (np.array([["a", None], [1, 2.5]], dtype=object), [["a", None], [1, 2.5]]),
    ],
)
def test_the_form_does_not_count(one, other):
    assert fingerprint(one) == fingerprint(other)


def test_different_content_differs():
    content = [
        None, True, 1, 1.0, 1j, "1", b"1", [1], [[1]], [], {}, "", b"", {1: 1}, {"1": 1}, "None",
        np.array(1), np.array([1]), np.array([[1]]), np.array([1.0]), np.array([1], dtype="i4"),
        np.array([], dtype=float), np.array(["1"]), ["a", "b"], ["ab"], ["", "ab"], "ab", "\ud800",
    ]  # fmt: skip
    prints = [fingerprint(each) for each in content]
    for (one, first), (other, second) in itertools.combinations(
        zip(content, prints, strict=True), 2
    ):
        assert first != second, (one, other)


def test_objects_with_a_fingerprint_of_their_own():
    class Pairs:
        def __init__(self, name):
            self.name = name

        def fingerprint(self):
            return self.name

    assert fingerprint(Pairs("a")) == fingerprint(Pairs("a"))
    assert len({fingerprint(each) for each in (Pairs("a"), Pairs("b"), "a", [Pairs("a")])}) == 4


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (object(), "data is of type object"),
        ([1, {"a": (2, {3})}], r"data\[1\]\['a'\]\[1\] is of type set"),
        ({(1, object): 2}, r"a key of data\[1\] is of type type"),
        (np.array([object()]), r"data\[0\] is of type object"),
    ],
)
def test_unknown_content_raises_and_says_where(data, where):
    with pytest.raises(ParameterError, match=where):
        fingerprint(data)
