# %% [markdown]
# # Can you trust the p-value?
#
# A p-value of 0.03 says that a true null would give data like these, or stranger, three times in a
# hundred. Whether it does depends on a law that holds under conditions. This notebook makes data
# for which the null is true, tests them, and counts: first where the conditions hold, then where
# they do not. All data are simulated, so it needs no files.

# %%
import seqbio
from seqbio import plots
from seqbio.hypothesis_testing import calibrate, power

TRUTH = {
    "open_x": 0.03,
    "open_y": 0.03,
    "extend_x": 0.3,
    "extend_y": 0.3,
    "end": 0.01,
    "distance": 0.1,
}


def pair_hmm(*tie, **settings):
    """A small pair HMM, quick enough to be fitted some hundred times."""
    return seqbio.PairHMM(substitution="jc69", tie=tie, **settings)


def simulated(n_pairs, columns, seed, **changes):
    """Pairs of sequences in which the gaps of x and y are alike, unless changes say otherwise."""
    return pair_hmm().set_parameters(TRUTH | changes).simulate(n_pairs, columns=columns, seed=seed)


# %% [markdown]
# ## Where the conditions hold
#
# Twenty pairs of a hundred columns, some hundred gaps: enough for the chi-squared law. `calibrate`
# draws data sets of this design from the null, tests each and counts rejections.

# %%
design = simulated(20, 100, seed=1)
check = calibrate(pair_hmm("open", "extend"), pair_hmm("extend"), design, n=100, seed=1)
print(check)

# %% [markdown]
# If the p-values are right they are as often below 0.1 as their name says, and so for every other
# value: the points lie along the line.

# %%
plots.pvalue_qq(check)

# %% [markdown]
# ## On a boundary
#
# May an insertion stand directly next to a deletion? The null says never: a probability of exactly
# 0, and an estimate can only lie above that. In half of the data sets it is 0 and so is the ratio.
# Chi-squared knows nothing of that half and its p-values are twice too large; chi-bar-squared does.
# In these pairs, one gap in twenty-five goes over into a gap in the other sequence.

# %%
null, alternative = pair_hmm("open", "extend"), pair_hmm("open", "extend", switch="tied")
switching = alternative.set_parameters(TRUTH | {"switch_x": 0.04, "switch_y": 0.04})
boundary = seqbio.compare(null, alternative, switching.simulate(20, columns=100, seed=2), seed=1)
print(boundary.conclusion)
print(boundary.null_law)
plots.null_distribution(boundary)

# %% [markdown]
# ## With few events
#
# Twelve short pairs have a handful of gaps, too few for any law of large numbers. The package then
# draws data sets from the fitted null, refits both models to each, and counts.

# %%
few = simulated(12, 40, seed=3, open_x=0.01, open_y=0.03)
result = seqbio.compare(
    pair_hmm("open", "extend"), pair_hmm("extend"), few, n_replicates=199, seed=1
)
print(result.conclusion)
print(result.null_law)
plots.null_distribution(result)

# %% [markdown]
# ## When the model itself is wrong
#
# Nothing of the above helps if neither hypothesis describes the data. Here the gaps of x and y are
# exactly alike, so the null is true; but reads were trimmed: five letters are gone from the end of
# every y. Those letters of x stand against gaps.

# %%
whole = simulated(30, 100, seed=2)
trimmed = [(x, y[:-5]) for x, y in whole]
for name, pairs in (("whole", whole), ("trimmed", trimmed)):
    result = seqbio.compare(pair_hmm("open", "extend"), pair_hmm(), pairs, seed=1)
    print(f"{name}: p = {result.pvalue:.3g}")
    for warning in result.warnings:
        print(f"  {warning.severity}: {warning.message}")

# %% [markdown]
# How much harm does it do? Tests of a true null at the 5 % level, on whole and on trimmed pairs.

# %%
N_TESTS = 30
for name, cut in (("whole", None), ("trimmed", -5)):
    rejected = 0
    for seed in range(N_TESTS):
        pairs = [(x, y[:cut]) for x, y in simulated(20, 100, seed=100 + seed)]
        tied, free = (pair_hmm(*tie).fit(pairs) for tie in (("open", "extend"), ()))
        ratio = 2 * (free.log_likelihood_ - tied.log_likelihood_)
        rejected += ratio > 5.991  # the 5 % point of chi-squared with two degrees of freedom
    print(f"{name}: {rejected} of {N_TESTS} true nulls rejected; {N_TESTS * 0.05:.1f} expected")

# %% [markdown]
# The warning comes with the p-value, and it is to be taken seriously: cut or model the ends, and
# test again.

# %% [markdown]
# ## Would the test have found anything?
#
# A test that rejects nothing is not wrong, but of no use. `power` says how often it rejects when a
# difference of a given size is there.

# %%
powers = {}
for ratio in (1.0, 1.5, 2.0, 3.0):
    truth = pair_hmm().set_parameters(TRUTH | {"open_y": ratio * TRUTH["open_x"]})
    powers[ratio] = power(
        pair_hmm("open", "extend"), pair_hmm("extend"), design, truth.full_, n=20, seed=1
    )
    print(f"open_y / open_x = {ratio}: {powers[ratio].by_law:.2f} by the noncentral law")
plots.power_curve(powers, xlabel="True ratio open_y / open_x")
