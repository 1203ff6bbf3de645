# %% [markdown]
# # Do sequencers insert more than they delete?
#
# A gap in an alignment of a read with its genome is an insertion or a deletion, according to the
# sequence it stands in. If a sequencer makes both alike, two pairs of numbers are one each: how
# often gaps open, and how readily they go on. That is a *tie*, and it can be tested: fit a pair
# hidden Markov model with the tie and without it, and compare the likelihoods. They are sums over
# all alignments, so no aligner decides what is a gap.
#
# Three sets of sequences are asked here: reads of a PacBio sequencer, copies of a transposon in the
# human genome, and mitochondrial DNA of two apes. The first two have a direction, because one
# sequence is what the other came from. Sets that are not at hand are replaced by simulated ones,
# and a line says so.

# %%
import seqbio
from seqbio import datasets, plots


def read_pairs(name, twin):
    """Read a real set of pairs, or the simulated one that comes with the package."""
    try:
        file = datasets.path(name)
    except seqbio.errors.DatasetError:
        print(f"{name} is not at hand (see seqbio.datasets); the simulated {twin} takes its place")
        name, file = twin, datasets.path(twin)
    about = datasets.describe(name)
    print(f"{name}: {about.description}")
    return seqbio.read_pairs(file, pairing=about.pairing)


def report(result):
    """Print the test in a few lines; print(result) says all of it."""
    print(f"likelihood ratio {result.statistic:.1f}, {result.df} degrees of freedom")
    for effect in result.effects:
        if effect.lower is not None:
            interval = f"(95 % interval {effect.lower:.2f} to {effect.upper:.2f})"
            print(f"{effect.name} = {effect.estimate:.2f} {interval}")
    print(result.conclusion)
    for check in result.warnings:
        if check.severity == "warning":
            print("warning:", check.message)


# %% [markdown]
# ## Reads of a sequencer
#
# x is the piece of the phage genome, y the read of it. A letter of y against a gap is an insertion,
# so `open_y` is how often insertions begin and `open_x` how often deletions do. Pieces of 500
# letters and more are left out, so that this takes less than a minute, and of several reads of one
# piece all but one.

# %%
pairs = read_pairs("pacbio_lambda_pairs", "simulated_reads")
pieces = {str(x.seq): (x, y) for x, y in pairs if len(x) < 500}
reads = list(pieces.values())
tied = seqbio.PairHMM(tie=("open", "extend")).fit(reads)
free = seqbio.PairHMM(tie=()).fit(reads)
result = seqbio.likelihood_ratio_test(tied, free)
print(f"{len(reads)} pairs")
report(result)

# %% [markdown]
# Insertions begin more often than deletions here, and they last longer.

# %%
assert result.pvalue < 0.05
assert all(effect.lower > 1 for effect in result.effects)

# %% [markdown]
# The law that the likelihood ratio has if gaps are alike, and the ratio of these data.

# %%
plots.null_distribution(result)

# %% [markdown]
# What the two models estimate. Where the intervals of x and y are apart, so are insertions and
# deletions.

# %%
plots.parameters({"tied": tied, "untied": free})

# %% [markdown]
# The interval of a parameter is where its likelihood, maximised over all the others, is not far
# below the top. The dashed line is what the quicker interval, by standard errors, takes it for.

# %%
plots.profile_likelihood(free, "extend_x", n_values=7)

# %% [markdown]
# How long gaps are. The model says that each further letter is as likely as the one before, which
# is a straight line here. Gaps above the end of their line are more than the model
# knows of; where there are too many, the test warns of it.

# %%
plots.gap_lengths(free.gap_length_fit(reads, longest=8))

# %% [markdown]
# The shortest read with its piece of the genome: most columns are more than 90 % sure, and the bars
# show which are not. The place of a gap in a run of equal letters, for one, cannot be known.

# %%
shortest = min(reads, key=lambda pair: len(pair[0]))
aligned = free.assess(free.align([shortest]))[0]
print(f"expected share of letters that are aligned right: {aligned.expected_accuracy:.3f}")
sure = float((aligned.confidence > 0.9).mean())
print(f"columns of which the model is more than 90 % sure: {sure:.0%}")
assert sure > 0.5
plots.alignment(aligned)

# %%
plots.alignment_posterior(free, *shortest)

# %% [markdown]
# ## Copies of a transposon
#
# MADE1 copied itself into the human genome, and the copies have decayed since, free of selection.
# x is the consensus, which stands for the ancestor, and y a copy: again insertions are letters of
# y against a gap. All pairs share it and are independent given it, as `reference` says. Mind the
# warnings: where the data are not of the kind that either model makes, a small p-value may speak
# against the model, not the tie.

# %%
copies = read_pairs("made1_human_copies", "simulated_reads")
null, alternative = (seqbio.PairHMM(tie=tie, reference="x") for tie in (("open", "extend"), ()))
result = seqbio.compare(null, alternative, copies)
report(result)
plots.estimates(result)

# %% [markdown]
# ## A control: mitochondrial DNA of human and orang-utan
#
# Neither of them is the ancestor of the other, so there is no direction here: a letter of human
# against a gap may be won by the one lineage or lost by the other. Openings are compared, while
# extensions are free on both sides.

# %%
apes = read_pairs("mtdna_human_orangutan_pieces", "simulated_symmetric")
result = seqbio.compare(seqbio.PairHMM(tie=("open",)), seqbio.PairHMM(tie=()), apes)
report(result)
plots.null_distribution(result)

# %% [markdown]
# Nothing speaks against equal openings, and an equal rate is within the interval of their ratio.

# %%
openings = result.effects[0]
assert openings.name == "open_y / open_x"
assert result.pvalue > 0.05
assert openings.lower < 1 < openings.upper

# %% [markdown]
# A large p-value is no proof of symmetry. How unequal the openings may still be is what the
# interval of their ratio says.

# %%
plots.estimates(result)
