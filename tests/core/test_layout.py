import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from seqbio.core import Layout
from seqbio.errors import ParameterError

layouts = st.dictionaries(
    st.text("abcd", min_size=1, max_size=3),
    st.one_of(st.just(()), array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)),
    max_size=4,
).map(Layout)


@given(layouts)
def test_flat_to_named_and_back(layout):
    vector = np.arange(layout.size, dtype=float)
    blocks = layout.unflatten(vector)
    assert list(blocks) == list(layout.names)
    assert {name: block.shape for name, block in blocks.items()} == layout.shapes
    np.testing.assert_array_equal(layout.flatten(blocks), vector)


@given(layouts)
def test_named_to_flat_and_back(layout):
    generator = np.random.default_rng(0)
    blocks = {name: generator.normal(size=shape) for name, shape in layout.shapes.items()}
    again = layout.unflatten(layout.flatten(dict(reversed(blocks.items()))))
    for name, block in blocks.items():
        np.testing.assert_array_equal(again[name], block)


@given(layouts)
def test_slices_indices_and_names_say_the_same(layout):
    vector = np.arange(layout.size)
    blocks = layout.unflatten(vector)
    assert len(layout.entry_names) == layout.size
    for name, block in blocks.items():
        np.testing.assert_array_equal(layout.indices(name), block)
        np.testing.assert_array_equal(vector[layout.slice(name)], block.ravel())
        for index, entry in np.ndenumerate(block):
            suffix = f"[{','.join(map(str, index))}]" if index else ""
            assert layout.entry_names[entry] == name + suffix


def test_labels_name_the_entries_of_their_block():
    layout = Layout({"rate": (2,), "share": (1, 2)}, {"rate": ["rate_AC", "rate_AG"]})
    assert layout.entry_names == ("rate_AC", "rate_AG", "share[0,0]", "share[0,1]")
    assert layout.labels == {"rate": ("rate_AC", "rate_AG")}
    with pytest.raises(ParameterError, match="block 'rate' has 2 entries and 1 labels"):
        Layout({"rate": (2,)}, {"rate": ["rate_AC"]})


def test_blocks_are_views_also_of_a_batch():
    layout = Layout({"bias": (), "weights": (2, 2)})
    batch = np.zeros((3, layout.size))
    blocks = layout.unflatten(batch)
    assert blocks["bias"].shape == (3,)
    assert blocks["weights"].shape == (3, 2, 2)
    blocks["weights"][1, 0, 1] = 7.0
    blocks["bias"][2] = 5.0
    np.testing.assert_array_equal(batch, [[0] * 5, [0, 0, 7, 0, 0], [5, 0, 0, 0, 0]])


def test_unflatten_keeps_the_type():
    mask = np.array([True, False])
    assert Layout({"a": (2,)}).unflatten(mask)["a"].dtype == bool


def test_equality_and_hash_go_by_content_and_order():
    layout = Layout({"a": (2,), "b": ()})
    assert layout == pickle.loads(pickle.dumps(layout)) == Layout({"a": (np.int64(2),), "b": ()})
    assert len({layout, Layout({"a": (2,), "b": ()})}) == 1
    assert layout != Layout({"b": (), "a": (2,)})
    assert layout != Layout({"a": (3,), "b": ()})
    assert layout != {"a": (2,), "b": ()}
    assert repr(layout) == "Layout({'a': (2,), 'b': ()})"


def test_a_layout_is_not_changed_through_what_it_gives():
    layout = Layout({"a": (2,)})
    layout.shapes["b"] = ()
    assert layout.names == ("a",)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: Layout({1: ()}), "a block is named 1; give a string"),
        (lambda: Layout({"a": 2}), r"block 'a' has the shape 2; give a tuple .* such as \(2,\)"),
        (lambda: Layout({"a": (-1,)}), r"block 'a' has the shape \(-1,\)"),
        (lambda: Layout({"a": (1.5,)}), r"block 'a' has the shape \(1.5,\)"),
        (lambda: Layout({"a": ()}).slice("b"), "no block is named 'b'; the blocks are a"),
        (lambda: Layout({}).indices("b"), r"no block is named 'b'; the blocks are \(none\)"),
        (
            lambda: Layout({"a": (), "b": ()}).flatten({"a": 1, "c": 1}),
            r"missing blocks: \['b'\], unknown blocks: \['c'\]; give each of a, b and no others",
        ),
        (
            lambda: Layout({"a": (2,)}).flatten({"a": [[1, 2]]}),
            r"block 'a' has shape \(1, 2\); reshape it to \(2,\)",
        ),
        (
            lambda: Layout({"a": (2,)}).unflatten([1.0]),
            r"the vector has shape \(1,\); its last axis must hold the 2 entries of the blocks a",
        ),
        (lambda: Layout({"a": ()}).unflatten(1.0), r"the vector has shape \(\)"),
    ],
)
def test_wrong_input_is_refused(use, message):
    with pytest.raises(ParameterError, match=message):
        use()
