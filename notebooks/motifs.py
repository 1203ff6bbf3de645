# %% [markdown]
# # Where does a motif stand, and on which strand?
#
# A detector that slides one filter along a sequence (a convolution) believes that a motif works
# wherever it stands. One that also reads the other strand with the same filter, turned around,
# believes that it works on either strand. Both beliefs are ties of parameters. They save numbers
# to be learned where they are true, and they are wrong in known cases: a splice junction is a
# matter of place, and a protein that binds RNA reads one strand.
#
# Sets that are not at hand are replaced by simulated ones, and a line says so.

# %%
import numpy as np

import seqbio
from seqbio import datasets, plots
from seqbio.motif import make_motif


def read(name, twin):
    """Read a real set of sequences, or the simulated one that comes with the package.

    Returns the records, their alphabet, and whether they are real.
    """
    real = True
    try:
        file = datasets.path(name)
    except seqbio.errors.DatasetError:
        print(f"{name} is not at hand (see seqbio.datasets); the simulated {twin} takes its place")
        name, file, real = twin, datasets.path(twin), False
    about = datasets.describe(name)
    print(f"{name}: {about.description}")
    return seqbio.read_fasta(file, alphabet=about.alphabet), about.alphabet, real


def report(result):
    """Print the test in a few lines; print(result) says all of it."""
    print(f"calibration: {result.calibration}")
    print(result.conclusion)


def deviation(count, n):
    """Say how many standard deviations a count is from half of n, which chance alone would give."""
    return (count - n / 2) / (np.sqrt(n) / 2)


# Chance alone goes beyond that once in a thousand times, on either side together.
FAR = 3.29


# %% [markdown]
# ## Does it matter where a letter stands?
#
# The simplest model that can tell: a weight for each letter (its composition, the same at all
# places) against a weight for each letter at each place. The first are windows around splice
# junctions, all cut at the same place, donors (exon to intron) against the others. The second are
# windows of the *E. coli* genome that were cut so that the site of CRP stands anywhere in them.


# %%
def position_matters(records, labels):
    null, alternative = (
        seqbio.MotifDetector(n_motifs=1, width=1, pooling="sum", strands="one", tie=tie, seed=0)
        for tie in (("position",), ())
    )
    return seqbio.compare(
        null, alternative, (records, labels), calibration="split", n_splits=2, n_starts=1, seed=0
    )


junctions, _, _ = read("splice_junctions", "simulated_fixed_motif")
labels = np.array(["class=EI" in record.description for record in junctions], dtype=int)
fixed = position_matters(junctions, labels if labels.any() else None)
report(fixed)

# %%
floating, _, _ = read("ecoli_crp_sites", "simulated_floating_motif")
free = position_matters(floating, None)
report(free)

# %% [markdown]
# The place of a letter matters around splice junctions, and nothing speaks for that where the site
# stands anywhere.

# %%
assert fixed.pvalue < 0.05 < free.pvalue

# %% [markdown]
# With so many weights chi-squared would be no good guide, so the test splits the data: it learns
# the alternative from one half and judges it on the other, against the best that the null can do
# there. Each dot is one half; p is at most 1 over the mean of the ratios, which has to exceed 20
# for p = 0.05.

# %%
for result in (fixed, free):
    ratios = result.evidence.log_ratios
    log_mean = np.logaddexp.reduce(ratios, axis=None) - np.log(ratios.size)
    assert np.isclose(result.log_pvalue, min(0.0, -log_mean))
plots.null_distribution(fixed)

# %% [markdown]
# ## What a site looks like, and where it is found
#
# A detector with one filter for all places and both strands learns the site from the sequences
# alone, against shuffles of them that keep their dinucleotides. These sequences are simulated: each
# has one site at a random place, on a random strand.

# %%
records = seqbio.read_fasta(datasets.path("simulated_floating_motif"))


def learn(records, width):
    """Train a detector; give it and its strongest motif."""
    detector = seqbio.MotifDetector(n_motifs=2, width=width, n_epochs=30, seed=1).fit(records)
    return detector, detector.motifs_[int(detector.readout_[0].argmax())]


detector, motif = learn(records, 10)
plots.training_curves(detector)

# %%
print(f"consensus {motif.consensus}, its reverse complement {motif.consensus.reverse_complement()}")
plots.motif_logo(motif)

# %% [markdown]
# The sequences were made with sites of TGACTCAGCA, of which each letter is kept with probability
# 0.85. That is what was found, on the one strand or the other.

# %%
assert "TGACTCAGCA" in (motif.consensus, motif.consensus.reverse_complement())

# %% [markdown]
# The best hit in each sequence. Half of the places are in the middle half of a sequence, and so
# is, within the limits of chance, half of the hits.


# %%
def best_hits(hits):
    """Take the best hit of each sequence."""
    return list({hit.sequence: hit for hit in sorted(hits, key=lambda hit: hit.score)}.values())


def in_the_middle(hits, records):
    """Count the best hits whose middle is in the middle half of the places for a hit."""
    lengths = {record.id: len(record) for record in records}
    n_in = 0
    best = best_hits(hits)
    for hit in best:
        n_places = lengths[hit.sequence] - (hit.stop - hit.start)
        n_in += n_places / 4 <= hit.start < 3 * n_places / 4
    print(f"{n_in} of {len(best)} best hits are in the middle half")
    return n_in, len(best)


hits = seqbio.scan(motif, records, threshold=1e-3)
assert abs(deviation(*in_the_middle(hits, records))) < FAR
plots.motif_positions(hits, records)

# %% [markdown]
# Windows around the summits of ChIP-seq peaks are another matter: whatever the motif does, the
# windows were cut so that it stands in the middle. A test of position on such windows tests how
# they were cut.

# %%
peaks, _, peaks_are_real = read("ctcf", "simulated_fixed_motif")
_, strongest = learn(peaks, 16)
plots.motif_logo(strongest)

# %%
hits = seqbio.scan(strongest, peaks, threshold=1e-4)
assert abs(deviation(*in_the_middle(hits, peaks))) > FAR
plots.motif_positions(hits, peaks)

# %% [markdown]
# ## Either strand, or one?
#
# CTCF binds DNA, whose strands are alike to it, and a peak may have been read off either of them.
# Puf3p binds RNA, of which there is one strand; its site is known, UGUANAUA. On which strand are
# the best hits of each?


# %%
def count_strands(motif, records):
    """Print on which strand the best hit of each sequence lies, and draw where."""
    hits = seqbio.scan(motif, records, threshold=1e-4, strands="both")
    strands = [hit.strand for hit in best_hits(hits)]
    print(f"{motif.name}: {strands.count('+')} on +, {strands.count('-')} on -")
    plots.motif_positions(hits, records)
    return strands.count("+"), len(strands)


# The simulated peaks have their site on one strand alone; those of before have it on either.
either = count_strands(*((strongest, peaks) if peaks_are_real else (motif, records)))

# %%
rna, alphabet, _ = read("puf3p", "simulated_fixed_motif")
letters, site = ("ACGU", "UGUANAUA") if alphabet == "rna" else ("ACGT", "TGACTCAGCA")
counts = [[1.0 if known == "N" else float(known == letter) for known in site] for letter in letters]
one = count_strands(make_motif(counts, site, alphabet), rna)

# %% [markdown]
# Where the tie is right, the two strands share the hits evenly, within the limits of chance. The
# hits in RNA lie on the strand as given more often than chance allows; there the tie makes a
# detector look for what is not there.

# %%
assert abs(deviation(*either)) < FAR < deviation(*one)
