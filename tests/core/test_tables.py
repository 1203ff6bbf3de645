"""Everything that is summed up says the most important first, as text and as HTML."""

from dataclasses import replace
from html import escape, unescape

import numpy as np
import pytest
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

import seqbio
from seqbio.core.tables import Table, as_html, as_text
from seqbio.hypothesis_testing import calibrate, criteria, power, vuong_test

TRUTH = {"open_x": 0.02, "open_y": 0.06, "extend_x": 0.3, "extend_y": 0.3, "end": 0.002}
JC = {"substitution": "jc69"}
HARMFUL = "<script>"


@pytest.fixture(scope="module")
def summarised():
    """Make one of everything, whose names hold what HTML must not."""
    hmm = seqbio.PairHMM(**JC).set_parameters({**TRUTH, "distance": 0.1})
    pairs = hmm.simulate(8, columns=80, seed=1)
    null, alternative = (seqbio.PairHMM(tie=tie, **JC).fit(pairs) for tie in (("open",), ()))
    texts = [str(record.seq)[:40] for pair in pairs for record in pair]
    detector = seqbio.MotifDetector(1, 5, n_epochs=1, seed=1)
    detector.fit(texts, [HARMFUL, "a"] * 8)
    network = seqbio.RecurrentModel(hidden_size=2, n_epochs=1, seed=1)
    motif = detector.motifs_[0]
    motif.name = HARMFUL
    records = [SeqRecord(Seq(texts[0]), id=HARMFUL)]
    trials = calibrate(null, alternative, pairs, 3, calibration="chi2", seed=1)
    return {
        "pair HMM to be fitted": seqbio.PairHMM(),
        "pair HMM that was given": hmm,
        "pair HMM": null,
        "fit": null.fit_,
        "result": seqbio.compare(null, alternative, pairs, check_fit=False, seed=1),
        "detector to be fitted": seqbio.MotifDetector(),
        "detector": detector,
        "network to be fitted": seqbio.RecurrentModel(),
        "network": network.fit(texts),
        "initialised": seqbio.RecurrentModel(hidden_size=2).initialise(texts),
        "flow": network.gradient_flow(texts, longest_lag=10),
        "chain to be fitted": seqbio.MarkovModel(),
        "chain": seqbio.MarkovModel(2).fit(texts),
        "untied chain": seqbio.MarkovModel(0, tie=(), max_length=40).fit(texts),
        "hits": seqbio.scan([motif], records, threshold=0.5),
        "no hits": seqbio.scan([motif], records, threshold=1e-9),
        "criteria": criteria({HARMFUL: null.fit_, "b": alternative.fit_}, null.data_),
        "Vuong": vuong_test(null.fit_, alternative.fit_, null.data_),
        "trials": trials,
        "power": power(null, alternative, pairs, alternative.full_, n=0),
    }


FIRST = {
    "pair HMM to be fitted": "PairHMM, not fitted.",
    "pair HMM that was given": "Gaps open with probability 0.02 in y and 0.06 in x and go on with "
    "0.3 in both; the sequences are 0.1 substitutions per site apart.",
    "pair HMM": "Gaps open with probability 0.0",
    "fit": "PairModel, 5 free parameters of 35: log-likelihood -",
    "result": 'The data speak against "open tied", tested against "untied" (p = 0.03',
    "detector to be fitted": "MotifDetector, not fitted.",
    "detector": "The detector learned motif1 ",
    "network to be fitted": "RecurrentModel, not fitted.",
    "network": "The model predicts the next letter with a training loss of 2.",
    "initialised": "A recurrent model whose weights were given, or read; how well",
    "flow": "The derivative of the loss by the state ",
    "chain to be fitted": "MarkovModel, not fitted.",
    "chain": "A Markov chain of order 2, its rules the same all along, with 84 free parameters.",
    "untied chain": "A Markov chain of order 0, its rules with 41 steps of their own, with 164 ",
    "hits": "hits of 1 of 1 motifs in 1 of 1 sequences.",
    "no hits": "0 hits of 0 of 1 motifs in 0 of 1 sequences.",
    "criteria": "has the most support, ",
    "Vuong": "The two fits differ, and neither is clearly closer to the truth (p = 0.09",
    "trials": "The test rejects true nulls as often as it should, as far as chance lets see.",
    "power": "The test rejects the null with a probability of 0.",
}


@pytest.mark.parametrize("kind", FIRST)
def test_the_sentence_comes_first_everywhere(summarised, kind):
    text, html = summarised[kind].summary(), summarised[kind]._repr_html_()
    sentence, *blocks = text.split("\n\n")
    assert FIRST[kind] in sentence.replace("\n", " ")
    assert max(map(len, text.splitlines())) <= 88
    assert html.startswith(f"<div>\n<p>{escape(sentence.replace(chr(10), ' '))}</p>")
    titles = [block.splitlines()[0] for block in blocks]
    assert titles == [
        unescape(line.removeprefix("<caption>").removesuffix("</caption>"))
        for line in html.splitlines()
        if line.startswith("<caption>")
    ]
    assert HARMFUL not in html


def test_names_are_as_they_are_in_text_and_escaped_in_html(summarised):
    for kind in ("detector", "hits", "criteria"):
        assert HARMFUL in summarised[kind].summary()
        assert escape(HARMFUL) in summarised[kind]._repr_html_()


def test_results_print_their_summary_and_estimators_their_settings(summarised):
    for kind in ("fit", "result", "hits", "criteria", "Vuong", "trials", "power", "flow"):
        assert str(summarised[kind]) == summarised[kind].summary()
    for kind in ("pair HMM", "detector", "network", "chain"):
        assert str(summarised[kind]) == repr(summarised[kind])


def test_a_fit_that_did_not_converge_says_so_first():
    pairs = [("ACGTACGTAC", "ACGTCGTAC"), ("ACGTTACGAC", "ACGTTACGC")]
    hmm = seqbio.PairHMM(tie=(), **JC).fit(pairs)
    hmm.fit_ = replace(hmm.fit_, converged=False)
    assert hmm.summary().startswith("The fit did not converge, so that these numbers may be far")


def test_verdicts_of_a_self_check():
    from seqbio.hypothesis_testing.type_one_error import SelfCheck, Trial

    def verdict(pvalues):
        return SelfCheck(tuple(Trial(p, 1.0, "x") for p in pvalues)).summary().split("\n\n")[0]

    uniform = (np.arange(1000) + 0.5) / 1000
    assert verdict(uniform).startswith("The test rejects true nulls as often as it should")
    often = " ".join(verdict(uniform**2).split())
    assert often == "The test rejects true nulls too often, at the level of 10 %, 5 %, 1 %."
    assert "less often than it may, at the level of 10 %, 5 %" in verdict(uniform**0.5)
    assert verdict([None] * 5) == "The test gave no p-value for any of the data sets."


def test_layout():
    tables = [Table("First", ("", "a"), [("row", "x\ny")]), Table("Empty", (), [])]
    assert as_text("Said.", tables) == "Said.\n\nFirst\n       a\n  row  x\n       y"
    assert as_html("<b>", tables) == (
        "<div>\n<p>&lt;b&gt;</p>\n<table>\n<caption>First</caption>\n"
        "<tr><th></th><th>a</th></tr>\n<tr><td>row</td><td>x<br>y</td></tr>\n</table>\n</div>"
    )
