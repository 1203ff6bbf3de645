"""What the package's own tests say of position and strand, where the answer is known.

    SEQBIO_DATA=... python -m tests.experiments.motif_ties puf3p crp splice simulated

- puf3p: yeast RNAs bound by Puf3p, which reads one strand: tied strands should be rejected.
- crp: E. coli windows with a CRP site at a random offset and strand: neither tie should be.
- splice: splice donors against other junctions, all at one place: tied positions should be.
- simulated: the shipped sets, a floating site (neither) and a fixed one (both).

Strand: one occurrence of a motif (pooling ``logsumexp``, unit readout) against shuffles, and the
split test. Position: filters of one column with sum pooling, that is, the composition against a
weight for every letter at every place, and the split test where there are too many of these for
chi-squared.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import seqbio
from seqbio import MotifDetector, datasets
from seqbio.hypothesis_testing import LikelihoodRatioResult

SITES = {"puf3p": ("puf3p", "rna", 8), "crp": ("ecoli_crp_sites", "dna", 12)}
SIMULATED = ("simulated_floating_motif", "simulated_fixed_motif")


def strand_test(records: list, alphabet: str, width: int, n_splits: int) -> LikelihoodRatioResult:
    """Test whether a motif stands on either strand."""
    null, alternative = (
        MotifDetector(
            n_motifs=1,
            width=width,
            pooling="logsumexp",
            readout="unit",
            alphabet=alphabet,
            strands="both",
            tie=tie,
            seed=0,
        )
        for tie in (("position", "strand"), ("position",))
    )
    return seqbio.compare(
        null,
        alternative,
        (records, None),
        calibration="split",
        n_splits=n_splits,
        n_starts=2,
        seed=0,
    )


def position_test(records: list, labels: np.ndarray | None) -> LikelihoodRatioResult:
    """Test whether letters work alike at all positions."""
    null, alternative = (
        MotifDetector(n_motifs=1, width=1, pooling="sum", strands="one", tie=tie, seed=0)
        for tie in (("position",), ())
    )
    return seqbio.compare(
        null,
        alternative,
        (records, labels),
        calibration="split",
        n_splits=5,
        n_starts=2,
        seed=0,
    )


def show(case: str, begin: float, result: LikelihoodRatioResult) -> None:
    pvalue = "none" if result.pvalue is None else f"{result.pvalue:.3g}"
    spent = time.perf_counter() - begin
    print(f"{case:45} p = {pvalue:10} ({result.calibration}; {spent:.0f} s)", flush=True)
    for check in result.warnings:
        if check.severity == "invalid":
            print(f"    {check.message}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", choices=[*SITES, "splice", "simulated"])
    parser.add_argument("--splits", type=int, default=2)
    arguments = parser.parse_args()
    for name in arguments.sets:
        begin = time.perf_counter()
        if name in SITES:
            dataset, alphabet, width = SITES[name]
            records = seqbio.read_fasta(datasets.path(dataset), alphabet)
            result = strand_test(records, alphabet, width, arguments.splits)
            show(f"{name}: strand", begin, result)
        if name == "crp":
            begin = time.perf_counter()
            show("crp: position", begin, position_test(records, None))
        if name == "splice":
            records = seqbio.read_fasta(datasets.path("splice_junctions"))
            labels = np.array(["class=EI" in record.description for record in records], dtype=int)
            show("splice: position", begin, position_test(records, labels))
        if name == "simulated":
            for dataset in SIMULATED:
                records = seqbio.read_fasta(datasets.path(dataset))
                begin = time.perf_counter()
                result = strand_test(records, "dna", 10, arguments.splits)
                show(f"{dataset}: strand", begin, result)
                begin = time.perf_counter()
                show(f"{dataset}: position", begin, position_test(records, None))


if __name__ == "__main__":
    main()
