"""Size and power of the tests of where a motif stands: its strand, and its place.

A word of eight letters, of which some are changed, is planted in random sequences, and as many
random ones stand beside them. Each data set is tested three ways: by `seqbio.compare` as a user
does ("turn" or "rotate"), by the split test, and by hand: the best match of the word itself is
counted by strand (a binomial test of its sides) or by place (the largest count, Bonferroni), which
is what one could do who knows the word. Run from the root of the source tree, this prints how many
are rejected at 5 %, and at 1 %:

    python -m tests.statistical.motif_power strand 20
    python -m tests.statistical.motif_power place 20
    python -m tests.statistical.motif_power strand_null 200
    python -m tests.statistical.motif_power place_null 200

The split test, which takes most of the time, is left out of the true nulls.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import binom, binomtest

import seqbio
from seqbio.motif import MotifDetector
from seqbio.sequences import DNA

WORD = "TGACTCAG"
LENGTH = 40
LEVELS = (0.05, 0.01)


class Design(NamedTuple):
    """What is planted: in how many of n sequences, how much changed, where."""

    n: int = 100
    share: float = 1.0  # of the sequences, that have the word
    changed: float = 0.1  # chance that a letter of it is drawn anew
    plus: float = 0.5  # share of the words on the + strand
    place: int | None = None  # or at random, where it fits


STRAND = [
    Design(n=n, changed=changed, plus=plus)
    for plus in (0.6, 0.75)
    for n in (50, 200)
    for changed in (0.1, 0.4)
]
PLACE = [Design(share=share, place=12, plus=1.0) for share in (0.15, 0.25, 0.35, 0.5, 0.7)]
DESIGNS = {
    "strand": STRAND,
    "place": PLACE,
    "strand_null": [Design(n=60), Design(n=200, changed=0.3), Design(n=60, share=0.5)],
    "place_null": [
        Design(n=60, plus=1.0),
        Design(n=200, plus=1.0, changed=0.3),
        Design(n=1000, plus=1.0),
    ],
}


def draw(design: Design, generator: np.random.Generator) -> tuple[list[str], list[int]]:
    """Make the sequences with the word, and as many without."""
    word = DNA.encode(WORD).astype(np.intp)
    codes = generator.integers(0, 4, (2 * design.n, LENGTH))
    for row in np.flatnonzero(generator.random(design.n) < design.share):
        at = generator.integers(LENGTH - len(word) + 1) if design.place is None else design.place
        planted = word if generator.random() < design.plus else 3 - word[::-1]
        anew = generator.random(len(word)) < design.changed
        planted = np.where(anew, generator.integers(0, 4, len(word)), planted)
        codes[row, at : at + len(word)] = planted
    texts = ["".join(row) for row in np.array(list("ACGT"))[codes]]
    return texts, [1] * design.n + [0] * design.n


def by_hand(texts: list[str], tested: str) -> float:
    """Count the best matches of the word, which is known, on both strands or by place."""
    letters = np.array([list(text) for text in texts])
    windows = np.lib.stride_tricks.sliding_window_view(letters, len(WORD), axis=1)
    turned = DNA.decode(DNA.reverse_complement(DNA.encode(WORD)))
    plus, minus = ((windows == list(word)).sum(axis=2) for word in (WORD, turned))
    if tested == "strand":
        sides = np.sign(plus.max(axis=1) - minus.max(axis=1))
        n_sides = int((sides != 0).sum())
        return float(binomtest(int((sides > 0).sum()), n_sides).pvalue) if n_sides else 1.0
    counts = np.bincount(plus.argmax(axis=1), minlength=plus.shape[1])
    return min(1.0, len(counts) * float(binom.sf(counts.max() - 1, len(texts), 1 / len(counts))))


def pvalues(tested: str, design: Design, seed: int, *, split: bool) -> list[float]:
    """Test one data set: by default, by hand, and perhaps by splitting."""
    generator = np.random.default_rng(seed)
    texts, labels = draw(design, generator)
    ties = {
        "strand": (("position", "strand"), ("position",)),
        "place": (("position",), ()),
    }[tested]
    strands = "both" if tested == "strand" else "one"
    null, alternative = (
        MotifDetector(1, len(WORD), "logsumexp", tie, strands=strands, readout="unit", seed=seed)
        for tie in ties
    )
    found = [seqbio.compare(null, alternative, (texts, labels), seed=seed).pvalue]
    found.append(by_hand(texts[: design.n], tested))
    if split:
        result = seqbio.compare(
            null, alternative, (texts, labels), calibration="split", n_splits=2, seed=seed
        )
        found.append(result.pvalue)
    return [1.0 if pvalue is None else pvalue for pvalue in found]


def main(name: str, n: int, report: Callable[[str], object] = print) -> None:
    """Print a line for each design."""
    tested, _, null = name.partition("_")
    for design in DESIGNS[name]:
        began = time.perf_counter()
        found = np.array([pvalues(tested, design, seed, split=not null) for seed in range(n)])
        counts = [
            f"{way} {' '.join(str(int((column <= level).sum())) for level in LEVELS)}"
            for way, column in zip(("default", "by hand", "split"), found.T, strict=False)
        ]
        took = f"{time.perf_counter() - began:.0f} s"
        report(f"{tested}: {design}: of {n} at 5 % and 1 %: {'; '.join(counts)}; {took}")


if __name__ == "__main__":
    for which in sys.argv[1:2] or list(DESIGNS):
        main(which, int(sys.argv[2]) if len(sys.argv) > 2 else 20, lambda x: print(x, flush=True))
