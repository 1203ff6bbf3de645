"""Pairs that are not related as they stand are found, named, turned round and not tested."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

from seqbio import GroupedPairs, PairHMM, compare, likelihood_ratio_test, read_fasta, read_pairs
from seqbio.errors import AlphabetError, PairingWarning
from seqbio.pairhmm import relation
from tests.pairhmm.examples import HKY85, encoded

TRUTH = PairHMM(tie=()).set_parameters(HKY85)
LETTERS = {"dna": "ACGT", "protein": "ACDEFGHIKLMNPQRSTVWY"}
TIED, FREE = PairHMM(), PairHMM(tie=())


@pytest.fixture(scope="module")
def related():
    return TRUTH.simulate(12, columns=120, seed=1)


def turned(pairs, indices):
    """Give y of some pairs on the other strand."""
    other = [(x, SeqRecord(y.seq.reverse_complement(), id=y.id, description="")) for x, y in pairs]
    return [other[i] if i in indices else pair for i, pair in enumerate(pairs)]


def doubled(record):
    """Put the other strand behind a sequence, so that the whole is its own other strand."""
    return str(record.seq + record.seq.reverse_complement())


def texts(pairs):
    return [(str(x.seq), str(y.seq)) for x, y in pairs]


def unrelated(n_pairs, seed, alphabet="ACGT", length=150):
    """Draw pairs of sequences that have nothing to do with each other."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(length - 30, length + 30, (n_pairs, 2))
    return [
        tuple("".join(generator.choice(list(alphabet), size)) for size in pair) for pair in sizes
    ]


def warned(pairs, **settings):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        PairHMM(**settings).fit(pairs)
    return [str(each.message) for each in caught if each.category is PairingWarning]


class TestTheOtherStrand:
    @pytest.mark.parametrize("indices", [{5}, {0, 3, 4, 7, 8, 11}, set(range(12))])
    def test_pairs_are_named_with_the_remedy(self, related, indices):
        [message] = warned(turned(related, indices))
        first = min(indices) + 1
        assert message.startswith(f"{len(indices)} of 12 pairs (pair{first}/x and pair{first}/y")
        assert ") fit far better with the reverse complement of y" in message
        assert "--orient (PairHMM.orient)" in message

    def test_orient_turns_them_round(self, related):
        oriented = PairHMM().orient(turned(related, {1, 2, 6}))
        assert texts(oriented) == texts(related)
        ids = [y.id for _, y in oriented]
        assert [i for i in range(12) if ids[i].endswith("_rc")] == [1, 2, 6]
        assert ids[1] == "pair2/y_rc"
        assert warned(oriented) == []

    def test_orient_leaves_the_same_records_where_all_is_well(self, related):
        oriented = PairHMM().orient(related)
        assert all(old is new for old, new in zip(sum(related, ()), sum(oriented, ()), strict=True))

    def test_groups_keep_their_labels(self, related):
        grouped = GroupedPairs(turned(related, {0, 7}), ["a"] * 6 + ["b"] * 6)
        begins = [message[:21] for message in warned(grouped)]
        assert begins == ["group a: 1 of 6 pairs", "group b: 1 of 6 pairs"]
        oriented = PairHMM(tie=("open", "group.open")).orient(grouped)
        assert texts(oriented.pairs) == texts(related)
        assert oriented.groups == grouped.groups

    def test_plain_strings_are_called_by_their_index(self, related):
        plain = texts(turned(related, {2, 9}))
        [message] = warned(plain)
        assert "(index 2; index 9)" in message
        assert texts(PairHMM().orient(plain)) == texts(related)

    def test_rna_has_two_strands_and_a_protein_one(self, related):
        rna = [tuple(text.replace("T", "U") for text in pair) for pair in texts(related)]
        other = [(x, str(Seq(y).reverse_complement_rna())) for x, y in rna]
        assert texts(PairHMM(alphabet="rna").orient(other)) == rna
        with pytest.raises(AlphabetError, match="protein alphabet has no complement"):
            PairHMM(alphabet="protein").orient([("MKV", "MKV")])

    def test_overhangs_are_no_obstacle(self):
        genome, read = texts(TRUTH.simulate(1, columns=900, seed=3))[0]
        part = str(Seq(read[400:500]).reverse_complement())
        [(_, oriented)] = PairHMM(ends="free_x").orient([(genome, part)])
        assert str(oriented.seq) == read[400:500]

    def test_an_alignment_of_them_warns(self, related):
        with pytest.warns(
            PairingWarning, match=r"1 of 3 pairs \(pair2/x and pair2/y\) fit far better"
        ):
            TRUTH.align(turned(related[:3], {1}))
        with pytest.warns(
            PairingWarning, match=r"1 of 3 pairs \(pair2/x and pair2/y\) fit far better"
        ):
            TRUTH.align(turned(related[:3], {1}), method="mea")

    def test_both_strands_of_a_palindrome_are_one(self, related):
        pairs = [(doubled(x), doubled(y)) for x, y in related]
        assert warned(pairs) == []
        assert texts(PairHMM().orient(pairs)) == pairs

    @pytest.mark.parametrize("unit", ["AT", "CA", "ACGT", "AAG"])
    def test_repeats_are_no_false_alarm(self, unit):
        pairs = [(unit * (30 + k), unit * (28 + 2 * k)) for k in range(8)]
        assert not any("reverse complement" in message for message in warned(pairs))


class TestNoRelation:
    @pytest.mark.parametrize("alphabet", ["dna", "protein"])
    def test_unrelated_sequences_are_named(self, alphabet):
        [message] = warned(unrelated(20, 4, LETTERS[alphabet]), alphabet=alphabet)
        assert "of 20 pairs (index 0; " in message
        assert ") fit no better than two unrelated sequences" in message
        assert int(message.split()[0]) >= 17  # each escapes with a probability of 1 in 20 at most

    def test_related_pairs_are_not(self, related):
        assert warned(related) == []
        # Of short and distant ones many tell nothing, which is no contradiction.
        assert warned(texts(TRUTH.simulate(60, columns=15, seed=6))) == []
        distant = PairHMM(tie=()).set_parameters({**HKY85, "distance": 0.5})
        assert warned(texts(distant.simulate(40, columns=60, seed=2))) == []

    def test_those_among_related_pairs_are_named(self, related):
        pairs = [*texts(related), *unrelated(2, 5)]
        assert [message.split("; ")[0] for message in warned(pairs)] == ["2 of 14 pairs (index 12"]

    def test_short_sequences_that_tell_nothing_are_no_alarm(self):
        assert warned([("ACGT", "ACGT"), ("GGT", "GT"), ("A", "A")] * 3) == []

    def test_letters_alone_are_no_relation(self):
        # Two kinds of pairs, in each of which both sequences are rich in the same letters.
        pairs = unrelated(10, 7, "AAAATTTTCG") + unrelated(10, 8, "CCCCGGGGAT")
        assert int(warned(pairs)[0].split()[0]) >= 17


class TestWhatIsTested:
    @pytest.mark.parametrize("calibration", ["auto", "chi2", "bootstrap", "split", "robust"])
    def test_there_is_no_pvalue_where_half_are_on_the_other_strand(self, related, calibration):
        pairs = turned(related, {0, 2, 4, 6, 8, 10})
        result = compare(TIED, FREE, pairs, calibration=calibration, check_fit=False, seed=1)
        assert (result.pvalue, result.calibration) == (None, "none")
        assert result.conclusion.startswith("No conclusion: 6 of 12 pairs (pair1/x and pair1/y; ")
        assert compare(TIED, FREE, PairHMM().orient(pairs), check_fit=False).pvalue is not None

    def test_there_is_none_where_most_are_unrelated(self, related):
        pairs = [*texts(related[:3]), *unrelated(9, 9)]
        result = compare(TIED, FREE, pairs, check_fit=False)
        assert result.pvalue is None
        [check] = [check for check in result.warnings if check.code == "unrelated_items"]
        assert check.severity == "invalid"

    def test_that_they_are_unrelated_comes_before_all_else(self):
        """Sequences are shared, and gaps are few, too."""
        pairs = unrelated(6, 10)
        pairs = [(pairs[0][0], y) for _, y in pairs]
        result = compare(TIED, FREE, pairs, check_fit=False)
        codes = [check.code for check in result.warnings]
        assert codes[:2] == ["unrelated_items", "dependent_items"]
        assert result.conclusion.startswith("No conclusion: 6 of 6 pairs")

    def test_a_few_are_a_warning(self, related):
        result = compare(TIED, FREE, turned(related, {3}), check_fit=False, seed=1)
        [check] = [check for check in result.warnings if check.code == "unrelated_items"]
        assert check.severity == "warning"
        assert "(pair4/x and pair4/y)" in check.message
        assert result.pvalue is not None
        assert result.conclusion.endswith(f"; but {check.message}.")

    def test_fits_made_before_say_the_same(self, related):
        pairs = turned(related, set(range(6)))
        with pytest.warns(PairingWarning):
            fits = [hmm.fit(pairs) for hmm in (PairHMM(), PairHMM(tie=()))]
        assert likelihood_ratio_test(*fits).pvalue is None


def test_odds_are_those_of_distributions():
    """Over all pairs of some lengths, what the odds compare adds up to 1 on either side."""
    words = map("".join, itertools.product("ACGT", repeat=5))
    pairs = [(word[:3], word[3:]) for word in words]
    data, model = encoded(pairs), TRUTH.model
    settings = [TRUTH.full_, *relation._typical(model, TRUTH.full_)]
    alone = relation._alone(model, data, TRUTH.full_)
    odds = relation.log_odds(model, data, settings)
    np.testing.assert_allclose(np.exp(odds + alone).sum(axis=1), 1.0, rtol=1e-9)
    letters = {letter: HKY85[f"frequency_{letter}"] for letter in "ACGT"}
    independent = np.array([np.prod([letters[a] for a in x + y]) for x, y in pairs])
    assert (np.exp(odds) @ independent <= 1.0).all()  # so odds of c are seen once in c pairs
    assert (alone >= np.log(independent) - 1e-9).all()


def test_odds_do_not_depend_on_what_cannot_be():
    # Without gaps not even the lengths are possible, and other settings tell.
    rigid = TRUTH.set_parameters({**HKY85, "open_x": 0.0, "open_y": 0.0}).full_
    TRUTH.set_parameters(HKY85)
    data = encoded([("ACGTTGCAACGGTCAT", "ACGTTGCACGGTCAT"), ("ACGTTGCAACGGTCAT", "A")])
    odds = relation.log_odds(TRUTH.model, data, [rigid, TRUTH.full_])
    assert np.isneginf(odds[0]).all()
    assert odds[1, 0] > 5.0 > odds[1, 1]
    assert np.isfinite(relation._mean(odds)).all()


@pytest.mark.parametrize("family", ["jc69", "gtr", "lg", "blosum62"])
def test_every_substitution_model_knows_related_pairs(family):
    alphabet = "protein" if family in ("lg", "blosum62") else "dna"
    named = {name: HKY85[name] for name in ("open_x", "open_y", "extend_x", "extend_y", "end")}
    given = named if family == "blosum62" else {**named, "distance": 0.5}
    hmm = PairHMM(alphabet=alphabet, substitution=family).set_parameters(given)
    pairs = [*hmm.simulate(6, columns=100, seed=1), *unrelated(1, 2, LETTERS[alphabet])]
    data = hmm._encoded(pairs)
    assert relation.find(hmm.model, data, hmm.full_).unrelated.tolist() == [6]


REAL = {
    "pairs/made1_human_copies_unaligned.fasta": ("dna", "first-vs-rest"),
    "pairs/mtdna_human_orangutan_pieces_unaligned.fasta": ("dna", "consecutive"),
    "pairs/pacbio_lambda_pairs_unaligned.fasta.gz": ("dna", "consecutive"),
    "pairs/sca1_cds_unaligned.fasta": ("dna", "first-vs-rest"),
    "pairs/primate_cdx2_promoter_unaligned.fasta": ("dna", "first-vs-rest"),
    "pairs/hiv_siv_env_protein29_unaligned.fasta": ("protein", "first-vs-rest"),
    "pairs/globins45_unaligned.fasta": ("protein", "first-vs-rest"),
}


@pytest.mark.parametrize("file", REAL)
def test_real_relatives_are_known_as_they_stand(real_data, file):
    alphabet, pairing = REAL[file]
    pairs = read_pairs(real_data(file), alphabet=alphabet, pairing=pairing)
    hmm = PairHMM(alphabet=alphabet)
    data = hmm._encoded(pairs)
    found = relation.find(hmm.model, data, hmm.model.start(data))
    assert (found.unrelated.tolist(), found.turned.tolist()) == ([], [])


def test_real_reads_of_the_other_strand_are_turned_round(real_data):
    pairs = read_pairs(real_data("pairs/pacbio_lambda_pairs_unaligned.fasta.gz"))
    pairs = [pair for pair in pairs if len(pair[0]) < 400]
    other = set(range(1, len(pairs), 2))
    oriented = PairHMM().orient(turned(pairs, other))
    assert {i for i, (_, y) in enumerate(oriented) if y.id.endswith("_rc")} == other


@pytest.mark.parametrize(
    ("file", "alphabet", "related"),
    [
        # Relatives, and genes that overlap on opposite strands, are among them.
        ("recurrent/ecoli_k12_cds.ffn.gz", "dna", [5, 8]),
        ("recurrent/ecoli_k12_proteome.faa.gz", "protein", []),
        ("motif/klf1_904_w500.fasta.gz", "dna", []),
    ],
)
def test_different_genes_are_unrelated(real_data, file, alphabet, related):
    records = [record[:400] for record in read_fasta(real_data(file), alphabet)[:20]]
    pairs = list(zip(records[::2], records[1::2], strict=True))
    hmm = PairHMM(alphabet=alphabet)
    data = hmm._encoded(pairs)
    found = relation.find(hmm.model, data, hmm.model.start(data))
    assert len(found.unrelated) >= 10 - len(related) - 1
    assert set(related).isdisjoint(found.unrelated)
    assert set(found.turned) <= set(related)
