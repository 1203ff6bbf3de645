"""Draw the figures of the README beside this file, from data that come with the package.

python notebooks/figures/make.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import seqbio
from seqbio import datasets, plots

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    pairs = seqbio.read_pairs(datasets.path("simulated_reads"))
    tied, free = (seqbio.PairHMM(tie=tie).fit(pairs) for tie in (("open", "extend"), ()))
    save(plots.parameters({"tied": tied, "untied": free}), "gaps.png")
    save(plots.null_distribution(seqbio.likelihood_ratio_test(tied, free)), "null.png")

    records = seqbio.read_fasta(datasets.path("simulated_floating_motif"))
    detector = seqbio.MotifDetector(n_motifs=2, width=10, seed=1).fit(records)
    save(plots.motif_logo(detector.motifs_[0]), "logo.png")


def save(axes, name: str) -> None:
    # Without the version of matplotlib, the same figure is the same file.
    axes.figure.savefig(FOLDER / name, dpi=110, metadata={"Software": None})
    print(FOLDER / name)


if __name__ == "__main__":
    main()
