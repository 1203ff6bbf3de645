"""Gap symmetry on real pairs: geometric gap lengths beside a mixture, one distance beside many.

Run from the root of the source tree, with ``SEQBIO_DATA`` naming the folder of real sets:

    python -m tests.experiments.gap_models [name ...]

Each row tests that gaps open, and last, alike in x and in y: likelihood ratio, degrees of freedom
and the chi-squared p-value where that law holds, else what speaks against it; a bootstrap takes
hours for all but the short pairs of ``made1``, where 99 replicates are made. ``mtdna``: human and
orang-utan mitochondria; ``pacbio``: the phage genome and reads of it; ``made1``: the consensus of a
transposon and its copies; ``brca1``: pairs of mammals that share no branch of their tree.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from seqbio import GroupedPairs, PairHMM, compare, datasets, read_pairs

# Neighbours in the tree of the file, so that no two pairs share a branch.
APART = [
    ("Human", "Chimpanzee"),
    ("Rhesus", "HowlerMon"),
    ("Mouse", "Rat"),
    ("Cat", "Dog"),
    ("Cow", "Hippo"),
    ("SpermWhale", "HumpbackW"),
    ("Horse", "Rhino"),
    ("NineBande", "HairyArma"),
    ("Dugong", "Manatee"),
    ("AfricanEl", "AsianElep"),
]
SYMMETRY = ("open", "extend")
ONE_LAW = ("group.open", "group.extend", "group.end", "group.rates")
MODELS = {
    "geometric gap lengths": ({}, ()),
    "short and long gaps": ({"gap_lengths": 2}, ("long",)),
}
# Copies are often cut off, which leaves overhangs of the consensus.
CUT = {
    "free ends of x": ({"ends": "free_x"}, ()),
    "both": ({"gap_lengths": 2, "ends": "free_x"}, ("long",)),
}


def rows(name: str) -> list[tuple[str, Any, tuple[str, ...], tuple[str, ...], dict[str, Any]]]:
    """List model, pairs, ties of the null and of the alternative, and settings."""
    if name == "brca1":
        pairs = read_pairs(datasets.path("brca1"), select=APART)
        grouped = GroupedPairs(pairs, [" ".join(ids) for ids in APART])
        return [
            ("one distance for all", pairs, SYMMETRY, (), {}),
            ("a distance for each", grouped, (*SYMMETRY, *ONE_LAW), ONE_LAW, {}),
        ]
    source, pairing = {
        "mtdna": ("mtdna_human_orangutan_pieces", "consecutive"),
        "pacbio": ("pacbio_lambda_pairs", "consecutive"),
        "made1": ("made1_human_copies", "first-vs-rest"),
    }[name]
    pairs = read_pairs(datasets.path(source), pairing=pairing)
    models = MODELS | (CUT if name == "made1" else {})
    ancestor = {"reference": "x"} if name == "made1" else {}
    return [
        (model, pairs, (*SYMMETRY, *ties), (), settings | ancestor)
        for model, (settings, ties) in models.items()
    ]


def report(name: str) -> None:
    """Print the tests of one set."""
    for model, pairs, null, alternative, settings in rows(name):
        started = time.process_time()
        hypotheses = [PairHMM(tie=tie, **settings) for tie in (null, alternative)]
        calibration = "auto" if name == "made1" else "chi2"
        result = compare(*hypotheses, pairs, calibration=calibration, n_replicates=99, seed=1)
        p = "none" if result.pvalue is None else f"{result.pvalue:.2g}"
        seconds = time.process_time() - started
        print(
            f"{name:8s} {model:24s} LR {result.statistic:9.4f}  {result.df} df  p {p:8s} "
            f"{result.calibration}  log-likelihood {result.alternative_fit.log_likelihood:.2f}  "
            f"{seconds:.0f} s"
        )
        for check in result.warnings:
            print(f"    {check.severity}: {check.message}")
        sys.stdout.flush()


if __name__ == "__main__":
    for chosen in sys.argv[1:] or ("mtdna", "pacbio", "made1", "brca1"):
        report(chosen)
