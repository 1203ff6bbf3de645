"""Type I error of the tests of position and of strand on data that are free of both.

Sequences are random, and their labels are drawn from a detector with sum pooling whose one filter
is the same at all positions and on both strands, so that both null hypotheses are true. Each set
is tested as a user would, by `seqbio.compare`. Run from the root of the source tree, this prints
how often the nulls are rejected at 10, 5 and 1 %, with binomial limits of 99 %:

    python -m tests.statistical.motif_size --n 500 --workers 1

The split test bounds its error instead of meeting it, so only too many rejections would be wrong
there. It is made on the same data, and (``site``) of the strand of a motif that occurs once, with
pooling ``logsumexp``, which takes some ten seconds a set. In ``one_strand`` the motif stands on one
strand alone, so that the null is false and rejections are its power:

    python -m tests.statistical.motif_size --n 100 --split strand position
    python -m tests.statistical.motif_size --n 20 --split site one_strand
"""

from __future__ import annotations

import argparse
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial

import numpy as np

import seqbio
from seqbio.core import Hypothesis, map_pieces, spawn_generators
from seqbio.motif import MotifDetector
from seqbio.motif.motif_model import MotifModel
from seqbio.sequences import DNA
from seqbio.sequences.sequence_data import SequenceData
from tests.statistical.limits import as_table, rejections

N_SEQUENCES, LENGTH, WIDTH = 1500, 12, 2
STRENGTH = 0.15  # standard deviation of the weights, in nats
SITE = "TGACTCAT"
SITES = {"site": 0.5, "one_strand": 1.0}  # share of the sites that stand on the first strand
TESTS = {
    "strand": (("position", "strand"), ("position",)),
    "position": (("position",), ()),
}


def pvalue_of(calibration: str, tested: str, generator: np.random.Generator) -> float | None:
    """Simulate one data set and test one true null."""
    places = LENGTH - WIDTH + 1
    model = MotifModel(DNA, 2, 1, WIDTH, "sum", places, n_strands=2)
    truth = model.tying(("position", "strand"))
    full = truth.expand(generator.normal(0.0, STRENGTH, truth.n_free))
    codes = generator.integers(0, 4, (N_SEQUENCES, LENGTH)).astype(np.uint8)
    data = SequenceData(DNA, list(codes), np.zeros(N_SEQUENCES))
    # Constants in the filter add up over the windows; the classes are to be about as large.
    full[model.layout.slice("intercept")] -= model.logits(full, data).mean()
    data = model.simulate(full, data, generator)
    null, alternative = (Hypothesis(model, model.tying(ties)) for ties in TESTS[tested])
    # Sequences as short as these meet twice by chance; drawn independently, they are no clusters.
    alone = np.arange(N_SEQUENCES)
    result = seqbio.compare(
        null, alternative, data, calibration=calibration, clusters=alone, n_splits=2, seed=0
    )
    return result.pvalue


def site_pvalue_of(share: float, generator: np.random.Generator) -> float | None:
    """Implant a site at a random place, on either strand or one; test the strand by splitting."""
    letters = generator.choice(list("ACGT"), (300, 40))
    labels = np.arange(300) % 2
    turned = DNA.decode(DNA.reverse_complement(DNA.encode(SITE)))
    for item in np.flatnonzero(labels):
        at = int(generator.integers(40 - len(SITE) + 1))
        letters[item, at : at + len(SITE)] = list(SITE if generator.random() < share else turned)
    noise = generator.random(letters.shape) < 0.2
    letters[noise] = generator.choice(list("ACGT"), int(noise.sum()))
    data = (["".join(row) for row in letters], labels)
    null, alternative = (
        MotifDetector(n_motifs=1, width=8, pooling="logsumexp", readout="unit", tie=ties)
        for ties in TESTS["strand"]
    )
    result = seqbio.compare(
        null, alternative, data, calibration="split", n_splits=2, n_starts=2, seed=0
    )
    return result.pvalue


def pvalues(
    tested: str,
    n_data_sets: int,
    *,
    calibration: str = "chi2",
    executor: Executor | None = None,
    seed: int = 1,
) -> list[float | None]:
    """Test that many simulated data sets."""
    function = (
        partial(site_pvalue_of, SITES[tested])
        if tested in SITES
        else partial(pvalue_of, calibration, tested)
    )
    return map_pieces(function, spawn_generators(seed, n_data_sets), executor=executor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=500, help="data sets for each test")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--split", nargs="+", choices=[*TESTS, *SITES], help="split tests instead")
    options = parser.parse_args()
    calibration = "split" if options.split else "chi2"
    with ProcessPoolExecutor(options.workers) as executor:
        for name in options.split or TESTS:
            found = pvalues(name, options.n, calibration=calibration, executor=executor)
            title = f"motif detector, test of {name}, {calibration}"
            rows = rejections(found, bound=bool(options.split))
            if name == "one_strand":
                powers = ", ".join(f"{row.n_rejected} at {row.level:.0%}" for row in rows)
                print(f"{title}, a false null: of {rows[0].n_tests} rejected {powers}", flush=True)
            else:
                print(as_table(title, rows), flush=True)


if __name__ == "__main__":
    main()
