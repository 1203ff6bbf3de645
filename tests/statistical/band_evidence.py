"""Does the evidence for a band hold? Sums inside bands beside the full matrix, for many odd pairs.

Run from the root of the source tree:

    python -m tests.statistical.band_evidence [number of batches] [seed]

Each batch has a machine of its own and pairs of many kinds: related at any distance, with rare
long gaps or many short ones, unrelated in part, repeats, duplications, inversions, translocations,
few letters, nothing in common. They are summed within bands of several widths, far too narrow
ones among them, whatever their evidence, and as they are in use. A row for each width says how
many sums the evidence lets pass, by how much the worst of them is off, and, as a measure of how
strong the evidence is, the worst of those by which it falls short of what is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from seqbio.pairhmm.band import LARGEST_LOSS, banded, can_be_banded, outside
from seqbio.pairhmm.band_layout import LARGEST_SPREAD, lay_out
from seqbio.pairhmm.band_sweep import BandSweep
from seqbio.pairhmm.batches import Batch, make_batches
from seqbio.pairhmm.kernels import Machine, log_likelihood

Letters = np.ndarray
WIDTHS = (4, 6, 8, 12, 18, 27)
IN_USE = 0  # stands for the width that is chosen for a pair
SEEN = 1e-9  # nats beyond which a difference is no rounding


def machine(generator: np.random.Generator) -> Machine:
    """Any gap rates, with a switch or without, two kinds of gaps or one, at any identity."""
    same = generator.choice([0.35, 0.5, 0.65, 0.8, 0.9, 0.97])
    odds = np.full((4, 4), (1 - same) / 3 * 4)
    np.fill_diagonal(odds, same * 4)
    kinds = "mxyxy" if generator.random() < 0.15 else "mxy"
    n_gaps = len(kinds) - 1
    opening = 10 ** generator.uniform(-4, -0.7, n_gaps) / (n_gaps / 2)
    extending = generator.choice([0.02, 0.2, 0.5, 0.8, 0.95], n_gaps)
    if generator.random() < 0.5:
        opening[:], extending[:] = opening[0], extending[0]
    moves = np.zeros((n_gaps + 1, n_gaps + 1))
    moves[0] = 1 - opening.sum(), *opening
    switching = generator.choice([0.0, 0.0, 0.2]) if n_gaps == 2 else 0.0
    for g in range(1, n_gaps + 1):
        moves[g, 0] = (1 - extending[g - 1]) * (1 - switching)
        moves[g, g] = extending[g - 1]
        if n_gaps == 2:
            moves[g, 3 - g] = (1 - extending[g - 1]) * switching
    end = 10 ** generator.uniform(-4, -2)
    return Machine(kinds, moves * (1 - end), np.full(n_gaps + 1, end), odds)


def relative(
    generator: np.random.Generator, letters: Letters, changed: float, gapped: float, mean: float
) -> Letters:
    """Copy letters with changes, and gaps in either sequence of so many letters in the mean."""
    copy = letters.copy()
    new = generator.random(len(copy)) < changed
    copy[new] = generator.integers(0, 4, int(new.sum()))
    for place in np.flatnonzero(generator.random(len(copy)) < gapped)[::-1]:
        length = int(generator.geometric(1 / mean))
        if generator.random() < 0.5:
            copy = np.delete(copy, slice(place, place + length))
        else:
            copy = np.insert(copy, place, generator.integers(0, 4, length))
    return copy


def pair(generator: np.random.Generator) -> tuple[Letters, Letters]:
    """Draw a pair of any kind."""
    length = int(generator.integers(80, 400))

    def letters(size: int, n_letters: int = 4) -> Letters:
        return generator.integers(0, n_letters, size)

    changed, gapped = (
        generator.choice([0.02, 0.1, 0.2, 0.3, 0.5]),
        generator.choice([0, 0.01, 0.04]),
    )
    mean = generator.choice([1.5, 4.0, 12.0])

    def copied(original: Letters) -> Letters:
        return relative(generator, original, changed, gapped, mean)

    x = letters(length)
    cut, other = np.sort(generator.integers(0, length + 1, 2))
    size = int(generator.integers(2, 40))
    extra = letters(size)
    kind = int(generator.integers(0, 14))
    if kind <= 3:
        return x, copied(x)
    if kind == 4:  # unrelated over a stretch
        y = x.copy()
        y[cut : min(other, cut + 80)] = letters(min(other, cut + 80) - cut)
        return x, copied(y)
    if kind == 5:  # a stretch is missing here and another there, near or far
        y = np.delete(x, slice(cut, cut + size))
        place = min(cut + int(generator.integers(0, 40)), len(y))
        return x, copied(np.insert(y, place, extra))
    if kind == 6:  # a stretch stands twice in one of them
        return x, copied(np.concatenate([x[:cut], x[max(cut - size, 0) :]]))
    if kind == 7:  # tandem repeats, as often or not
        unit = letters(int(generator.integers(1, 13)))
        times = generator.integers(2, 12, 2)
        return (
            np.concatenate([x[:cut], np.tile(unit, times[0]), x[cut:]]),
            copied(np.concatenate([x[:cut], np.tile(unit, times[1]), x[cut:]])),
        )
    if kind == 8:  # turned round over a stretch
        y = x.copy()
        y[cut:other] = 3 - y[cut:other][::-1]
        return x, copied(y)
    if kind == 9:  # two stretches change places, near each other
        last = min(cut + 2 * size, length)
        middle = (cut + last) // 2
        return x, copied(np.concatenate([x[:cut], x[middle:last], x[cut:middle], x[last:]]))
    if kind == 10:  # few letters
        x = letters(length, 2)
        return x, copied(x)
    if kind == 11:  # few letters over a stretch
        x[cut:other] = letters(other - cut, int(generator.integers(1, 3)))
        return x, copied(x)
    if kind == 12:  # moved to nearby
        y = np.delete(x, slice(cut, cut + size))
        place = min(cut + int(generator.integers(0, 60)), len(y))
        return x, copied(np.insert(y, place, x[cut : cut + size]))
    return x, letters(max(1, length + int(generator.integers(-20, 20))))


@dataclass
class Tally:
    """What is seen of the bands of one width."""

    n_sums: int = 0
    n_passed: int = 0
    worst: float = 0.0
    short: list[float] = field(default_factory=list)

    def add(self, loss: np.ndarray, missing: np.ndarray) -> None:
        passed = loss <= LARGEST_LOSS
        self.n_sums += len(loss)
        self.n_passed += int(passed.sum())
        self.worst = max(self.worst, float(np.abs(missing[passed]).max(initial=0.0)))
        seen = (missing > SEEN) & np.isfinite(loss)
        self.short += (loss[seen] / np.minimum(missing[seen], 1.0)).tolist()


def batches(
    generator: np.random.Generator, number: int, n_pairs: int = 48
) -> Iterator[tuple[Machine, Batch, np.ndarray]]:
    """Make machines and batches, with their sums over the full matrix."""
    while number:
        model = machine(generator)
        if not can_be_banded(model):
            continue
        number -= 1
        pairs = [pair(generator) for _ in range(n_pairs)]
        x, y = ([letters.astype(np.uint8) for letters in side] for side in zip(*pairs, strict=True))
        exact = log_likelihood(model, make_batches(x, y, 4, banded=False))
        for batch in make_batches(x, y, 4):
            yield model, batch, exact[batch.members]


def examine(number: int, seed: int = 0) -> dict[int, Tally]:
    """Compare sums in bands of every width with those over the full matrix."""
    tallies = {half: Tally() for half in (*WIDTHS, IN_USE)}
    for model, batch, exact in batches(np.random.default_rng(seed), number):
        spread = np.abs(np.diff(batch.lengths, axis=1))[:, 0]
        pairs = np.flatnonzero((spread <= LARGEST_SPREAD) & ~batch.corridors.simple)
        for half in WIDTHS if len(pairs) else ():
            for layout in lay_out(batch.corridors, batch.lengths, pairs, half):
                sweep = BandSweep(model, batch, layout, np.add, False)
                loss = np.maximum(sweep.loss, outside(sweep))
                tallies[half].add(loss, exact[layout.pairs] - sweep.result)
        for lanes, sweep, positions in banded(model, batch, np.add):
            tallies[IN_USE].add(sweep.loss[lanes], exact[positions] - sweep.result[lanes])
    return tallies


def main() -> None:
    number, seed = (int(value) for value in (*sys.argv[1:], "200", "0")[:2])
    print("width  sums    passed  worst of them  evidence / what is missing, least and 1 in 1000")
    for half, tally in examine(number, seed).items():
        short = np.array(tally.short or [np.nan])
        print(
            f"{half or 'in use':>6} {tally.n_sums:7d} {tally.n_passed:7d}  {tally.worst:.1e}"
            f"        {short.min():.1e}  {np.quantile(short, 0.001):.1e}  of {len(tally.short)}"
        )


if __name__ == "__main__":
    main()
