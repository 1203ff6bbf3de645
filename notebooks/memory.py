# %% [markdown]
# # How far back does it remember?
#
# A recurrent network reads a text one character after the other and keeps what it needs to know in
# its state. To *learn* that something mattered a hundred characters later, the error has to be led
# back over a hundred steps, and at each step it is multiplied by a matrix. If these matrices shrink
# what they are multiplied with, nothing is left to learn from.
#
# This notebook trains three kinds of cells on *Alice in Wonderland* and measures how much of the
# gradient arrives how far back. Then it asks the other question about time: whether the same rule
# at every step, which makes a network recurrent, is what the data want.

# %%
import numpy as np

import seqbio
from seqbio import datasets, plots

PIECES, LENGTH = 16, 3000

# %% [markdown]
# The text, from its middle, in pieces that are learned side by side. Without the file, sentences of
# random words take its place: the cells then have only the spelling of words to remember.


# %%
def words(seed):
    """Make sentences of random words."""
    generator = np.random.default_rng(seed)
    known = ["the", "a", "cat", "queen", "garden", "rabbit", "said", "ran", "to", "and", "door"]
    return " ".join(generator.choice(known, 15000)) + "\n"


try:
    text = datasets.path("alice").read_bytes().decode().replace("\r\n", "\n")
    print(datasets.describe("alice").description)
except seqbio.errors.DatasetError:
    text = words(seed=0)
    print("alice is not at hand (see seqbio.datasets); simulated words take its place")
begin = 5000
pieces = [text[begin + i * LENGTH : begin + (i + 1) * LENGTH] for i in range(PIECES + 2)]
learned, held_out = pieces[:PIECES], pieces[PIECES:]
alphabet = seqbio.CharacterAlphabet.of([text])
print(repr(learned[0][:60]))

# %% [markdown]
# ## Three cells, the same task
#
# The plain RNN rewrites its whole state at each step; LSTM and GRU have gates that may leave parts
# of it as they are. Bits per character tell how well the next one is foreseen, in text that the
# model has not seen.

# %%
models = {
    cell: seqbio.RecurrentModel(
        cell=cell,
        hidden_size=64,
        alphabet=alphabet,
        ends=False,
        n_epochs=10,
        batch_size=PIECES,
        truncate=50,
        learning_rate=0.01,
        seed=0,
    )
    for cell in ("rnn", "gru", "lstm")
}
fresh, trained = {}, {}
for cell, model in models.items():
    model.initialise(learned)
    fresh[cell] = model.gradient_flow(held_out, longest_lag=60, n_places=40, seed=0)
    model.fit(learned, go_on=True)
    trained[cell] = model.gradient_flow(held_out, longest_lag=60, n_places=40, seed=0)
    bits = model.bits_per_symbol(held_out)
    print(f"{cell:5} {model.n_free_parameters_:6} parameters, {bits:.2f} bits per new character")

# %%
plots.training_curves(models["lstm"])

# %% [markdown]
# ## What is left of the gradient
#
# By how much the error at one character depends on the state so many characters before, relative to
# the state at the character itself. First as the networks start, then as they are after training.

# %%
plots.gradient_flow(fresh)

# %%
plots.gradient_flow(trained)

# %%
print("left of the gradient after 10 and 50 steps")
for name, flows in (("fresh", fresh), ("trained", trained)):
    for cell, flow in flows.items():
        left = flow.median / flow.median[0]
        print(f"{name:8} {cell:5} {left[10]:8.1e} {left[50]:8.1e}")

# %% [markdown]
# A gradient that arrives is no proof that the network uses it, and one that has shrunk may still be
# enough where the same thing happens often. It says what can be learned, not what was.

# %% [markdown]
# ## The same rule at every step?
#
# Tied over time, the network has one set of weights for all steps. Untied, it has one for each of
# them and needs many more data. If the windows are cut anywhere in a text, no place in them is
# special, so that the tie is true. Both are compared by how well they foresee windows that they
# have not seen.

# %%
WIDTH = 12
generator = np.random.default_rng(1)
starts = generator.choice(len(text) - WIDTH, 400, replace=False)
anywhere = [text[start : start + WIDTH] for start in starts]


def compare_over_time(windows):
    tied, untied = (
        seqbio.RecurrentModel(
            cell="gru",
            hidden_size=16,
            tie=tie,
            max_length=WIDTH,
            alphabet=alphabet,
            ends=False,
            n_epochs=15,
            learning_rate=0.02,
            seed=0,
        )
        for tie in (("time",), ())
    )
    return seqbio.compare(tied, untied, windows, calibration="held-out", n_starts=1, seed=0)


result = compare_over_time(anywhere)
print(result.conclusion)
assert result.evidence.mean < 0
plots.null_distribution(result)

# %% [markdown]
# The mean difference is negative, in favour of the tie: what is learned at one step helps at all
# others.

# %% [markdown]
# ## Where place does matter
#
# The same question for simulated DNA with a site at one place, which comes with the package: a
# rule for each step is what these data were made with. The model is a Markov chain without memory,
# for which likelihood theory holds.

# %%
sites = seqbio.read_fasta(datasets.path("simulated_fixed_motif"))
windows = [record[20:60] for record in sites]
null, alternative = (
    seqbio.MarkovModel(0, tie=tie, ends=False, max_length=40) for tie in (("time",), ())
)
result = seqbio.compare(null, alternative, windows)
print(result.conclusion)
assert result.pvalue < 0.001
plots.null_distribution(result)
