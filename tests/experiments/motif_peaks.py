"""What a detector learns from ChIP-seq peaks, and what known motif it is.

Half of the peaks (every other one) is learned from, with dinucleotide shuffles as negatives; the
other half and shuffles of it are held out. The motifs are named by the best match in JASPAR 2024:

    SEQBIO_DATA=... python -m tests.experiments.motif_peaks ctcf tap73
"""

from __future__ import annotations

import argparse
import gzip
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from Bio import motifs as bio_motifs
from scipy.stats import rankdata

import seqbio
from seqbio import MotifDetector, datasets
from seqbio.motif import compare_motifs, make_motif, read_motifs
from seqbio.sequences import shuffle_dinucleotides

WIDTHS = {"ctcf": 19, "tap73": 20, "klf1": 12}


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """Chance that a positive scores above a negative."""
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.mean() - (len(positive) + 1) / 2) / len(negative))


def jaspar() -> list:
    with gzip.open(datasets.path("jaspar2024"), "rt") as stream:
        found = list(bio_motifs.parse(stream, "transfac", strict=False))
    known = []
    for motif in found:
        known.append(make_motif([motif.counts[letter] for letter in "ACGT"], motif["AC"]))
        known[-1].matrix_id = motif["ID"]
    return known


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", choices=list(WIDTHS))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    known, handful = jaspar(), read_motifs(datasets.path("motifs_meme"))
    for name in arguments.sets:
        records = seqbio.read_fasta(datasets.path(name))
        learned, held_out = records[::2], records[1::2]
        negatives = shuffle_dinucleotides(held_out, seed=99)
        for seed in range(arguments.seeds):
            begin = time.perf_counter()
            detector = MotifDetector(n_motifs=4, width=WIDTHS[name], seed=seed).fit(learned)
            spent = time.perf_counter() - begin
            area = area_under_curve(
                detector.decision_function(held_out), detector.decision_function(negatives)
            )
            strongest = detector.motifs_[int(detector.readout_[0].argmax())]
            best, few = (compare_motifs(strongest, group)[0] for group in (known, handful))
            print(
                f"{name} seed {seed}: held-out AUC {area:.3f}, strongest motif "
                f"{strongest.consensus} is {best.target} {best.target_id} (p = {best.pvalue:.1e}) "
                f"of {len(known)}, and {few.target} {few.target_id} (p = {few.pvalue:.1e}) of "
                f"{len(handful)}; {spent:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
