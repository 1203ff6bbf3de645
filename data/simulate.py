"""Make the simulated sets of this folder, with their true parameters beside them.

Sequence pairs are drawn from a pair HMM whose parameters were estimated from the real data set
``pacbio_lambda_pairs`` (pieces of the lambda genome and PacBio reads of them), once with the gaps
of both sequences free and once with them tied::

    python data/simulate.py             # writes into this folder
    python data/simulate.py --to DIR    # writes elsewhere, to compare

The numbers below were printed by (to four digits, the frequencies to five)::

    python -c '
    import seqbio
    pairs = seqbio.read_pairs(seqbio.datasets.path("pacbio_lambda_pairs"))
    for tie in (), ("open", "extend"):
        print(tie, seqbio.PairHMM(tie=tie).fit(pairs).parameters_)
    '

Sequences with one site of a motif each are random letters, equally frequent, with the site at a
random place and strand, or at one place on one strand.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

import seqbio

N_PAIRS = 60
COLUMNS = 400

# Where the number of columns is given ends play no part; this one gives as many on average. The
# estimate, 0.001731, belongs to the lengths of the real pieces.
END = 1 / (COLUMNS + 1)
FREQUENCIES = {
    "frequency_A": 0.24762,
    "frequency_C": 0.24634,
    "frequency_G": 0.27492,
    "frequency_T": 0.23112,
}
SETS: dict[str, dict[str, Any]] = {
    "simulated_reads": {
        "seed": 1,
        "x": "piece of a reference",
        "y": "read of it, with more and longer insertions than deletions",
        "true_ties": [],
        "parameters": {
            "open_x": 0.02633,
            "open_y": 0.03821,
            "extend_x": 0.03921,
            "extend_y": 0.1121,
            "end": END,
            "distance": 0.003003,
            "kappa": 0.3913,
            **FREQUENCIES,
        },
    },
    "simulated_symmetric": {
        "seed": 2,
        "x": "a sequence",
        "y": "another one, with gaps as many and as long",
        "true_ties": ["open", "extend"],
        "parameters": {
            "open_x": 0.03228,
            "open_y": 0.03228,
            "extend_x": 0.08464,
            "extend_y": 0.08464,
            "end": END,
            "distance": 0.002969,
            "kappa": 0.3938,
            **FREQUENCIES,
        },
    },
}


N_SEQUENCES = 200
LENGTH = 60
SITE = "TGACTCAGCA"
SURE = 0.85  # of the letter of the site, the others being equally probable
FIXED_START = 35
MOTIF_SETS = {
    "simulated_floating_motif": {"seed": 3, "floating": True},
    "simulated_fixed_motif": {"seed": 4, "floating": False},
}


def write_set(name: str, folder: Path) -> list[Path]:
    """Draw one of `SETS` and write its pairs and its truth; return the two files."""
    truth = SETS[name]
    hmm = seqbio.PairHMM(substitution="hky85").set_parameters(truth["parameters"])
    pairs = hmm.simulate(N_PAIRS, columns=COLUMNS, seed=truth["seed"])
    fasta, parameters = folder / f"{name}.fasta.gz", folder / f"{name}.json"
    seqbio.write_fasta([record for pair in pairs for record in pair], fasta)
    content = {
        "substitution": "hky85",
        "n_pairs": N_PAIRS,
        "columns of each alignment": COLUMNS,
        **truth,
    }
    parameters.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")
    return [fasta, parameters]


def write_motif_set(name: str, folder: Path) -> list[Path]:
    """Draw one of `MOTIF_SETS` and write its sequences and its truth; return the two files."""
    settings = MOTIF_SETS[name]
    generator = np.random.default_rng(settings["seed"])
    letters = np.array(list("ACGT"))
    probability = np.where(letters[:, None] == np.array(list(SITE)), SURE, (1 - SURE) / 3)
    records, starts, strands = [], [], []
    for number in range(1, N_SEQUENCES + 1):
        sequence = letters[generator.integers(0, 4, LENGTH)]
        site = "".join(generator.choice(letters, p=column) for column in probability.T)
        start, strand = FIXED_START, "+"
        if settings["floating"]:
            start = int(generator.integers(LENGTH - len(SITE) + 1))
            strand = "+-"[int(generator.integers(2))]
        turned = Seq(site).reverse_complement() if strand == "-" else site
        sequence[start : start + len(SITE)] = list(turned)
        records.append(SeqRecord(Seq("".join(sequence)), id=f"sequence{number}", description=""))
        starts.append(start)
        strands.append(strand)
    fasta, truth = folder / f"{name}.fasta.gz", folder / f"{name}.json"
    seqbio.write_fasta(records, fasta)
    content = {
        "n_sequences": N_SEQUENCES,
        "length": LENGTH,
        **settings,
        "motif": dict(zip(letters.tolist(), probability.round(6).tolist(), strict=True)),
        "starts": starts,
        "strands": "".join(strands),
    }
    truth.write_text(json.dumps(content) + "\n", encoding="utf-8", newline="\n")
    return [fasta, truth]


def main(arguments: list[str] | None = None) -> None:
    """Make every set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--to", type=Path, default=Path(__file__).parent, help="folder to write into (this one)"
    )
    folder = parser.parse_args(arguments).to
    files = [file for name in SETS for file in write_set(name, folder)]
    files += [file for name in MOTIF_SETS for file in write_motif_set(name, folder)]
    for file in files:
        print(hashlib.sha256(file.read_bytes()).hexdigest(), file.name)


if __name__ == "__main__":
    main()
