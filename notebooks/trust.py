# %% [markdown]
# # Can you trust the p-value?
#
# A p-value of 0.03 says that a true null would give data like these, or stranger, three times in a
# hundred. Whether it does depends on a law that holds under conditions. This notebook makes data
# for which the null is true, tests them, and counts: first where the conditions hold, then where
# they do not. All data are simulated, so it needs no files.

# %%
import numpy as np

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
# Twenty pairs of a hundred columns, some hundred gaps: enough for the chi-squared law, if all pairs
# obey the same parameters. `calibrate` draws data sets of this design from the null, tests each and
# counts rejections.

# %%
design = simulated(20, 100, seed=1)
check = calibrate(
    pair_hmm("open", "extend"), pair_hmm("extend"), design, n=100, calibration="chi2", seed=1
)
print(check)
assert all(rate.is_in_order for rate in check.rejections())

# %% [markdown]
# If the p-values are right they are as often below 0.1 as their name says, and so for every other
# value: the points lie along the line.

# %%
plots.pvalue_qq(check)

# %% [markdown]
# ## When pairs differ
#
# In real pairs gaps are rare in one and frequent in another, in x as in y. The null is still true:
# no sequence of a pair has more gaps than the other but by chance. Chi-squared takes the pairs for
# alike and rejects it far too often. If x and y are exchanged in any of the pairs, though, the data
# are as likely as before, and that is all that *sign flips* need, which the package takes by itself
# where it tests such a symmetry with eight pairs or more.

# %%
N_TESTS = 40
generator = np.random.default_rng(1)
by_law = by_flips = 0
for seed in range(N_TESTS):
    pairs = []
    for number in range(15):
        rates = dict(zip(("open_x", "open_y"), 0.03 * generator.gamma(1.0, 1.0, 2), strict=True))
        pairs += simulated(1, 100, seed=1000 * seed + number, **rates)
    result = seqbio.compare(pair_hmm("open", "extend"), pair_hmm("extend"), pairs, check_fit=False)
    assert result.calibration == "flip"
    by_law += result.statistic > 3.841  # the 5 % point of chi-squared, one degree of freedom
    by_flips += result.pvalue <= 0.05
print(result.null_law)
print(f"{by_law} of {N_TESTS} true nulls rejected by chi-squared, {by_flips} by flips; 2 expected")
assert by_law >= 6
assert by_flips <= 6

# %% [markdown]
# ## On a boundary
#
# May an insertion stand directly next to a deletion? The null says never: a probability of exactly
# 0, and an estimate can only lie above that. In half of the data sets it is 0 and so is the ratio.
# Chi-squared knows nothing of that half and its p-values are twice too large; chi-bar-squared does.
# In these pairs, one gap in seven goes over into a gap in the other sequence, which is hard to tell
# from two gaps with a letter between them: sixty pairs are not enough to find it.

# %%
null, alternative = pair_hmm("open", "extend"), pair_hmm("open", "extend", switch="tied")
switching = alternative.set_parameters(TRUTH | {"switch_x": 0.15, "switch_y": 0.15})
boundary = seqbio.compare(null, alternative, switching.simulate(60, columns=100, seed=2), seed=1)
print(boundary.conclusion)
print(boundary.null_law)
assert boundary.calibration == "chi-bar-squared"
assert boundary.pvalue > 0.05
plots.null_distribution(boundary)

# %% [markdown]
# ## With few events
#
# Six short pairs have a handful of gaps, too few for any law of large numbers, and too few pairs to
# flip signs. The package then draws data sets from the fitted null, refits both models to each, and
# counts.

# %%
few = simulated(6, 40, seed=3, open_x=0.01, open_y=0.03)
result = seqbio.compare(
    pair_hmm("open", "extend"), pair_hmm("extend"), few, n_replicates=199, seed=1
)
print(result.conclusion)
print(result.null_law)
assert result.calibration == "bootstrap"
plots.null_distribution(result)

# %% [markdown]
# ## When the model itself is wrong
#
# Nothing of the above helps if neither hypothesis describes the data. Here the gaps of x and y are
# exactly alike, so the null is true; but reads were trimmed: five letters are gone from the end of
# every y. Those letters of x stand against gaps, and the test, which asks whether x and y can be
# exchanged, finds that they cannot: it is right, but about the trimming.

# %%
whole = simulated(30, 100, seed=2)
trimmed = [(x, y[:-5]) for x, y in whole]
for name, pairs in (("whole", whole), ("trimmed", trimmed)):
    result = seqbio.compare(pair_hmm("open", "extend"), pair_hmm(), pairs, seed=1)
    print(f"{name}: p = {result.pvalue:.3g}")
    for warning in result.warnings:
        print(f"  {warning.severity}: {warning.message}")
    assert (result.pvalue < 0.05) == (name == "trimmed")
    assert ("misfit_ends" in [warning.code for warning in result.warnings]) == (name == "trimmed")

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
    assert (rejected <= 5) == (name == "whole")

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
assert powers[1.0].by_law < powers[1.5].by_law < powers[2.0].by_law < powers[3.0].by_law
plots.power_curve(powers, xlabel="True ratio open_y / open_x")
