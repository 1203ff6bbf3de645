"""Words in common and their chains, beside a search through all places."""

from __future__ import annotations

import numpy as np
import pytest

from seqbio.pairhmm.batches import make_batches
from seqbio.pairhmm.corridors import MOST_WORDS
from tests.pairhmm.machines import random_letters, relative


def corridors_of(pairs, n_symbols=4):
    x, y = (
        [np.array(side, dtype=np.uint8) for side in sides] for sides in zip(*pairs, strict=True)
    )
    [batch] = make_batches(x, y, n_symbols)
    return batch.corridors, batch.members


def words_in_common(x, y, length):
    places = {}
    for column in range(len(y) - length + 1):
        places.setdefault(tuple(y[column : column + length]), []).append(column)
    return {
        (row, column - row)
        for row in range(len(x) - length + 1)
        for column in places.get(tuple(x[row : row + length]), [])
    }


@pytest.mark.parametrize("n_symbols", [2, 4, 20])
def test_all_words_in_common_are_found(n_symbols):
    generator = np.random.default_rng(n_symbols)
    pairs = []
    for length in (120, 130, 140):
        x = random_letters(generator, length, n_symbols)
        pairs.append((x, relative(generator, x, 0.2, 0.02, n_symbols)))
    pairs.append((pairs[0][0] + pairs[0][0][:20], pairs[0][1][:-20]))  # a repeat
    found, members = corridors_of(pairs, n_symbols)
    assert not found.simple.any()
    for position, member in enumerate(members):
        own = found.word_pair == position
        words = list(
            zip(found.word_row[own].tolist(), found.word_diagonal[own].tolist(), strict=True)
        )
        assert len(words) == len(set(words))
        assert set(words) == words_in_common(*pairs[member], found.length)


def test_chains_rise_from_corner_to_corner():
    generator = np.random.default_rng(1)
    x = random_letters(generator, 300)
    moved = x[200:] + x[100:200] + x[:100]
    pairs = [(x, relative(generator, x, 0.2, 0.03)), (x, moved), (x, x[:150] + x[170:])]
    found, members = corridors_of(pairs)
    for position, member in enumerate(members):
        own = found.pair == position
        place, diagonal = found.place[own], found.diagonal[own]
        rows, columns = (place - diagonal) // 2, (place + diagonal) // 2
        assert (rows[0], columns[0]) == (0, 0)
        assert (rows[-1], columns[-1]) == tuple(len(side) for side in pairs[member])
        assert (np.diff(rows) >= 0).all()
        assert (np.diff(columns) >= 0).all()
        assert len(rows) > 5


def test_a_deletion_moves_the_chain_and_chance_does_not():
    generator = np.random.default_rng(2)
    x = random_letters(generator, 300)
    found, _ = corridors_of([(x, x[:150] + x[170:])])
    assert set(found.diagonal.tolist()) == {0, -20}
    found, _ = corridors_of([(x, random_letters(generator, 300))])
    assert len(found.word_row) > 0
    assert len(found.place) <= 4  # both corners, and what may by chance be beside each other


def test_pairs_of_few_letters_are_called_simple_and_their_words_are_not_listed():
    generator = np.random.default_rng(3)
    x = random_letters(generator, 200)
    found, members = corridors_of([(x, x), ([0] * 200, [0] * 199), (x[:150], x[50:])])
    assert found.simple[np.argsort(members)].tolist() == [False, True, False]
    assert np.bincount(found.word_pair, minlength=3)[found.simple].tolist() == [0]
    assert len(found.word_pair) < MOST_WORDS * 400


@pytest.mark.parametrize("pairs", [[([], [])], [([1], [2, 3])], [([0] * 9, [1] * 9), ([], [0])]])
def test_pairs_without_a_word_in_common(pairs):
    found, _ = corridors_of(pairs)
    assert not len(found.word_row)
    assert len(found.place) == 2 * len(pairs)
