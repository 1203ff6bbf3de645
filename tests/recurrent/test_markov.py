import json
from collections import Counter
from itertools import product

import numpy as np
import pytest
from scipy.stats import chi2, kstest

import seqbio
from seqbio.core import check_gradient, equal, fit, untied
from seqbio.errors import ModelFileError, NotFittedError, ParameterError, TyingError
from seqbio.recurrent import MarkovModel
from seqbio.recurrent.markov_model import MarkovChainModel
from seqbio.sequences import CharacterAlphabet
from seqbio.sequences.sequence_data import SequenceData


@pytest.fixture
def generator():
    return np.random.default_rng(11)


def draw_records(generator, n=40, longest=12, letters="ACGT"):
    return [
        "".join(generator.choice(list(letters), size=size))
        for size in generator.integers(1, longest + 1, size=n)
    ]


def plain_log_likelihood(records, order, ends, by_step):
    """Shares of counts, sequence by sequence and letter by letter."""
    events = []
    for index, record in enumerate(records):
        for place, letter in enumerate([*record, *(["end"] if ends else [])]):
            context = record[max(0, place - order) : place]
            table = place if place < order or by_step else "any"
            events.append((index, (table, context), letter))
    happened = Counter((context, letter) for _, context, letter in events)
    total = Counter(context for _, context, _ in events)
    result = np.zeros(len(records))
    for index, context, letter in events:
        result[index] += np.log(happened[context, letter] / total[context])
    return result


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("by_step", [True, False])
def test_the_closed_form_is_the_share_of_counts(order, ends, by_step, generator):
    records = draw_records(generator)
    model = MarkovModel(
        order=order, ends=ends, tie=() if by_step else ("time",), max_length=12 if by_step else None
    ).fit(records)
    np.testing.assert_allclose(
        model.log_likelihood(records),
        plain_log_likelihood(records, order, ends, by_step),
        atol=1e-6,
    )
    assert model.log_likelihood_ == pytest.approx(model.log_likelihood(records).sum())


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("tie", [("time",), (), ("time", "lag"), ("lag",)])
def test_the_closed_form_is_where_the_optimiser_ends(order, tie, generator):
    if "lag" in tie and not order:
        pytest.skip("an order of 0 has no lag")
    records = draw_records(generator, n=300, longest=4, letters="ACGT")
    hypothesis, data = MarkovModel(order=order, tie=tie, max_length=4).hypothesis(records)
    closed = hypothesis.model.maximise(hypothesis.tying, data)
    climbed = fit(hypothesis.model, hypothesis.tying, data)
    assert closed.log_likelihood == pytest.approx(climbed.log_likelihood, abs=2e-3)
    assert closed.log_likelihood >= climbed.log_likelihood - 1e-6


@pytest.mark.parametrize("ends", [True, False])
def test_gradient_and_curvature(ends, generator):
    model = MarkovChainModel("abc", 2, ends=ends, steps=4, reference=1)
    codes = [generator.integers(3, size=n).astype(np.uint8) for n in (5, 1, 4, 5)]
    data = SequenceData(CharacterAlphabet("abc"), codes)
    full = generator.standard_normal(model.layout.size)
    assert check_gradient(model, full, data, seed=0).passed
    total, gradient = model.log_likelihood_and_gradient(full, data)
    assert total == pytest.approx(model.log_likelihood(full, data).sum())
    step = 1e-5
    for i in range(0, full.size, 7):
        moved = full.copy()
        moved[i] += step
        above = model.log_likelihood_and_gradient(moved, data)[1][i]
        assert model.curvature(full, data)[i] == pytest.approx(
            (gradient[i] - above) / step, abs=1e-4
        )


def test_scores_are_the_gradients_of_single_sequences(generator):
    model = MarkovChainModel("abc", 2, ends=True, steps=4, reference=1)
    codes = [generator.integers(3, size=n).astype(np.uint8) for n in (5, 1, 4)]
    data = SequenceData(CharacterAlphabet("abc"), codes)
    full = generator.standard_normal(model.layout.size)
    for item, score in enumerate(model.scores(full, data)):
        gradient = model.log_likelihood_and_gradient(full, data.subset(np.array([item])))[1]
        np.testing.assert_allclose(score, gradient, atol=1e-12)


def test_what_was_never_seen_is_impossible_whatever_letter_it_is():
    """A, the most frequent letter, is the one that the coordinates are odds against."""
    model = MarkovModel(order=1, ends=False).fit(["ACACACAC", "ACGACA"])
    assert model.model_.reference == 0
    assert np.isneginf(model.log_likelihood(["AA", "CC", "AT"])).all()
    assert model.probabilities("A") == {"A": 0.0, "C": 1.0, "G": 0.0, "T": 0.0}
    assert np.isinf(model.bits_per_symbol(["AA"]))
    assert "AA" not in "-".join(str(record.seq) for record in model.simulate(20, length=50, seed=0))
    # C is followed by A three times more often than by G, and that stays exact.
    assert model.probabilities("C") == {"A": 0.8, "C": 0.0, "G": 0.2, "T": 0.0}


def test_predictions_are_not_compared_where_an_item_is_impossible():
    """The two letters that follow an A once only are in no other sequence."""
    records = ["ACACAC", "AGACAC", "ACAGAC", "AGAGAC"] * 10
    records[7] = "AACAGAC"
    order = [MarkovModel(order=1, tie=tie, ends=False) for tie in (("time", "lag"), ("time",))]
    result = seqbio.compare(*order, records, calibration="held-out", seed=1)
    assert result.pvalue is None
    assert "1 held-out item is impossible" in result.conclusion


def test_a_climb_goes_on_from_a_fit_where_the_reference_never_happens():
    records = ["ACACAC", "AGACAC", "ACAGAC", "AGAGAC"] * 5
    hypothesis, data = MarkovModel(order=1, ends=False).hypothesis(records)
    closed = hypothesis.model.maximise(hypothesis.tying, data)
    climbed = fit(hypothesis.model, hypothesis.tying, data, start=closed.full)
    assert climbed.converged
    assert climbed.log_likelihood == pytest.approx(closed.log_likelihood, abs=1e-9)


def test_estimates_are_named_probabilities():
    model = MarkovModel(order=1, tie=(), ends=False, max_length=3).fit(["ACG", "ACT", "CCA"])
    named = model.model_.estimates(model.fit_.full)
    assert named["P(A) at 1"] == pytest.approx(2 / 3)
    assert named["P(G|C) at 3"] == pytest.approx(1 / 3)
    assert len(named) == 4 + 2 * 16
    assert model.probabilities("C", step=1)["G"] == pytest.approx(1 / 3)


def test_probabilities_of_all_sequences_sum_to_one(generator):
    """Given a length; and with ends, counting what has not ended yet."""
    model = MarkovChainModel("ab", 1, ends=False, steps=None, reference=0)
    full = generator.standard_normal(model.layout.size)
    every = [np.array(x, dtype=np.uint8) for x in product((0, 1), repeat=5)]
    assert np.exp(
        model.log_likelihood(full, SequenceData(CharacterAlphabet("ab"), every))
    ).sum() == pytest.approx(1)
    model = MarkovChainModel("ab", 1, ends=True, steps=None, reference=0)
    full = generator.standard_normal(model.layout.size)
    every = [np.array(x, dtype=np.uint8) for n in range(13) for x in product((0, 1), repeat=n)]
    ended = np.exp(model.log_likelihood(full, SequenceData(CharacterAlphabet("ab"), every))).sum()
    logs = model.tables(full)[1][0]
    stay = np.exp(logs[:, :2]).sum(axis=1).max()
    assert 1 - stay**12 <= ended <= 1 + 1e-12


def test_ambiguity_codes_are_left_out_with_what_depends_on_them():
    model = MarkovModel(order=1, ends=False).fit(["ACGT", "AAAC"])
    known = model.log_likelihood(["ACGT"])[0]
    assert model.log_likelihood(["ACGTN"])[0] == pytest.approx(known)
    assert model.log_likelihood(["N"])[0] == 0
    assert model.bits_per_symbol(["ACNGT"]) == pytest.approx(
        -model.log_likelihood(["ACNGT"])[0] / 3 / np.log(2)
    )


def test_degrees_of_freedom(generator):
    records = draw_records(generator, n=400, longest=8)
    free = MarkovModel(order=1, tie=(), ends=False, max_length=8).fit(records)
    tied = MarkovModel(order=1, tie=("time",), ends=False, max_length=8).fit(records)
    compact = MarkovModel(order=1, ends=False).fit(records)
    lower = MarkovModel(order=1, tie=("time", "lag"), ends=False).fit(records)
    assert free.n_free_parameters_ == 3 + 7 * 12
    assert tied.n_free_parameters_ == compact.n_free_parameters_ == 3 + 12
    assert lower.n_free_parameters_ == 3 + 3
    assert tied.log_likelihood_ == pytest.approx(compact.log_likelihood_)


@pytest.fixture
def truth(generator):
    return MarkovModel(order=1, ends=False).fit(draw_records(generator, n=40))


def test_compare_gives_chi_squared_with_the_right_df(truth):
    records = truth.simulate(400, length=10, seed=1)
    result = seqbio.compare(
        MarkovModel(order=1, tie=("time",), ends=False, max_length=10),
        MarkovModel(order=1, tie=(), ends=False, max_length=10),
        records,
    )
    assert result.calibration == "chi-squared"
    assert result.df == 8 * 4 * 3
    assert 0.001 < result.pvalue < 1
    order = seqbio.compare(
        MarkovModel(order=1, tie=("time", "lag"), ends=False),
        MarkovModel(order=1, tie=("time",), ends=False),
        records,
    )
    assert order.df == 9
    assert order.pvalue < 0.01


@pytest.mark.slow
def test_the_chi_squared_law_holds_under_the_null(truth):
    generator = np.random.default_rng(0)
    pvalues = []
    for _ in range(200):
        records = truth.simulate(200, length=6, seed=generator)
        null = MarkovModel(order=1, tie=("time",), ends=False, max_length=6)
        alternative = MarkovModel(order=1, tie=(), ends=False, max_length=6)
        pvalues.append(seqbio.compare(null, alternative, records).pvalue)
    assert kstest(pvalues, "uniform").pvalue > 0.01


def ratio_of(null, alternative, records):
    """Likelihood ratio, degrees of freedom, and the mean that the model expects of the ratio."""
    hypothesis, data = null.hypothesis(records)
    wider, _ = alternative.hypothesis(records)
    model = hypothesis.model
    fits = [model.maximise(each.tying, data) for each in (hypothesis, wider)]
    mean = model.mean_ratio(hypothesis.tying, wider.tying, fits[0].full, data)
    df = wider.tying.n_free - hypothesis.tying.n_free
    return 2 * (fits[1].log_likelihood - fits[0].log_likelihood), df, mean


ORDER = tuple(MarkovModel(1, tie=tie, ends=False) for tie in (("time", "lag"), ("time",)))
SECOND_ORDER = tuple(MarkovModel(2, tie=tie, ends=False) for tie in (("time", "lag"), ("time",)))
THIRD_ORDER = tuple(MarkovModel(3, tie=tie, ends=False) for tie in (("time", "lag"), ("time",)))
TIME = tuple(MarkovModel(0, tie=tie, ends=False, max_length=32) for tie in (("time",), ()))


@pytest.mark.parametrize(("pair", "n", "length"), [(SECOND_ORDER, 30, 60), (TIME, 30, 32)])
def test_the_mean_of_the_ratio_is_known(pair, n, length):
    generator = np.random.default_rng(3)
    found = []
    for _ in range(300):
        letters = generator.choice(list("ACGT"), (n, length), p=(0.5, 0.3, 0.15, 0.05))
        found.append(ratio_of(*pair, ["".join(row) for row in letters]))
    ratios, dfs, means = np.array(found).T
    error = ratios.std() / np.sqrt(len(ratios))
    assert abs(ratios.mean() - means.mean()) < 3 * error
    # Without the correction the test would be off by many standard errors.
    assert abs(ratios.mean() - dfs[0]) > 4 * error


def test_chi_squared_is_corrected_by_it():
    letters = np.random.default_rng(4).choice(list("ACGT"), (40, 32), p=(0.5, 0.3, 0.15, 0.05))
    records = ["".join(row) for row in letters]
    ratio, df, mean = ratio_of(*TIME, records)
    result = seqbio.compare(*TIME, records)
    assert result.calibration == "chi-squared"
    assert result.pvalue == pytest.approx(chi2.sf(ratio * df / mean, df))
    assert "Bartlett's correction" in result.null_law
    assert result.to_dict()["evidence"]["inflation"] == pytest.approx(mean / df)


def test_one_long_sequence_is_judged_at_once():
    """Rare are the starts alone, which no hypothesis ties to others."""
    letters = "".join(np.random.default_rng(5).choice(list("ACGT"), 20_000))
    result = seqbio.compare(*ORDER, [letters])
    assert result.calibration == "chi-squared"
    assert result.evidence.inflation == pytest.approx(1.0, abs=1e-3)


def test_a_ratio_that_is_far_from_chi_squared_on_average_rules_that_law_out(generator):
    records = draw_records(generator, n=8)
    null, alternative = (
        MarkovModel(3, tie=tie, ends=False) for tie in (("time", "lag"), ("time",))
    )
    result = seqbio.compare(null, alternative, records, calibration="chi2")
    assert result.pvalue is None
    assert "few_events" in [check.code for check in result.warnings]


def test_the_order_of_one_long_sequence_is_tested_in_seconds():
    """Its first letters, of which there is one each, have no part in the test."""
    truth = MarkovModel(order=1, ends=False, pseudocount=1).fit(["ACGATTGACAGGAATCCGTA" * 3])
    [record] = truth.simulate(1, length=300_000, seed=3)
    letters = str(record.seq)
    result = seqbio.compare(*THIRD_ORDER, [record])
    assert result.calibration == "chi-squared"
    assert result.df == 64 * 3 - 16 * 3

    def maximum(size):
        """Of the letters from the fourth on, each after so many."""
        cells = Counter(letters[i - size : i + 1] for i in range(3, len(letters)))
        contexts = Counter(letters[i - size : i] for i in range(3, len(letters)))
        return sum(
            sign * n * np.log(n)
            for sign, counts in ((1, cells), (-1, contexts))
            for n in counts.values()
        )

    ratio = 2 * (maximum(3) - maximum(2))
    assert result.statistic == pytest.approx(ratio, abs=1e-5)
    assert result.pvalue == pytest.approx(chi2.sf(ratio, result.df), rel=0.02)
    assert result.pvalue > 0.001


@pytest.mark.slow
def test_the_chi_squared_law_of_the_order_holds_for_one_sequence(truth):
    generator = np.random.default_rng(0)
    pvalues = []
    for _ in range(300):
        records = truth.simulate(1, length=4000, seed=generator)
        result = seqbio.compare(*SECOND_ORDER, records)
        assert result.calibration == "chi-squared"
        pvalues.append(result.pvalue)
    assert kstest(pvalues, "uniform").pvalue > 0.01


def test_tables_for_each_step_of_one_sequence_or_beyond_memory_are_refused(monkeypatch):
    options = {"order": 1, "tie": (), "ends": False, "max_length": 60}
    with pytest.raises(ParameterError, match=r"only sequence.*tie time, or take windows.*--window"):
        MarkovModel(**options).hypothesis(["ACGT" * 15])
    MarkovModel(**options).hypothesis(["ACGT" * 15, "AC"])
    with pytest.raises(ParameterError, match=r"10,944 probabilities of 57 steps"):
        MarkovModel(**options | {"order": 3}).hypothesis(["ACGT" * 15, "AC"])
    monkeypatch.setattr("seqbio.core.memory._memory", lambda: 10**6)
    with pytest.raises(ParameterError, match=r"711 parameters.*tie time, or take windows"):
        MarkovModel(**options).hypothesis(["ACGT" * 15, "AC"])


def test_a_test_of_thousands_of_parameters_names_a_few():
    records = ["".join(np.random.default_rng(i).choice(list("ACGT"), 300)) for i in range(5)]
    models = [MarkovModel(order=2, tie=tie, ends=False, max_length=300) for tie in (("time",), ())]
    result = seqbio.compare(*models, records, n_replicates=1)
    assert result.calibration == "bootstrap"
    assert len(str(result)) < 10_000
    assert len(result.alternative_fit.summary()) < 3000


@pytest.mark.parametrize("order", [0, 1, 2])
def test_samples_have_the_models_probabilities(order, generator):
    truth = MarkovModel(order=order, ends=True).fit(draw_records(generator, n=50))
    samples = truth.simulate(6000, seed=0)
    assert [str(s.seq) for s in samples[:3]] == [
        str(s.seq) for s in truth.simulate(6000, seed=0)[:3]
    ]
    again = MarkovModel(order=order, ends=True).fit(samples)
    context = "GA"[:order]
    for letter, probability in truth.probabilities(context).items():
        assert again.probabilities(context)[letter] == pytest.approx(probability, abs=0.05)
    assert {len(sample) for sample in truth.simulate(20, length=7, seed=0)} == {7}


def test_samples_end_within_the_tables(generator):
    """Their lengths have the law of the model, given that they end in time."""
    records = [record for record in draw_records(generator, n=200, longest=5) if "T" not in record]
    tied = MarkovModel(order=1, max_length=4).fit([record[:4] for record in records])
    free = MarkovModel(order=1).fit([record[:4] for record in records])
    drawn = [len(record) for record in tied.simulate(4000, seed=1)]
    every = [len(record) for record in free.simulate(40_000, seed=2)]
    assert max(drawn) == 4 < max(every)
    for length in range(1, 5):
        share = every.count(length) / sum(each <= 4 for each in every)
        assert drawn.count(length) / len(drawn) == pytest.approx(share, abs=0.03)


def test_lengths_that_the_model_never_has_are_refused():
    model = MarkovModel(order=1).fit(["AC", "GC"])
    assert {len(record) for record in model.simulate(20, seed=0)} == {2}
    with pytest.raises(ParameterError, match="no letter follows 'C'"):
        model.simulate(1, length=3, seed=0)


def test_a_simulation_has_the_design_of_the_data(generator):
    records = draw_records(generator, n=10)
    hypothesis, data = MarkovModel(ends=False).hypothesis(records)
    drawn = hypothesis.model.simulate(np.zeros(hypothesis.model.layout.size), data, generator)
    np.testing.assert_array_equal(drawn.lengths, data.lengths)


def test_other_tyings_are_left_to_the_optimiser(generator):
    records = draw_records(generator, n=100)
    size = MarkovModel(order=0).hypothesis(records)[0].model.layout.size
    assert size == 4
    model = MarkovModel(order=0, tie=equal(size, [0, 1])).fit(records)
    assert model.n_free_parameters_ == 3
    table = model.probabilities("")
    reference = max(("A", "C", "G", "T"), key="".join(records).count)
    first, second = [letter for letter in "ACGT" if letter != reference][:2]
    assert table[first] == pytest.approx(table[second])
    free = MarkovModel(order=0, tie=untied(size)).fit(records)
    assert free.log_likelihood_ > model.log_likelihood_


def test_pseudocounts_leave_nothing_impossible():
    model = MarkovModel(order=1, ends=False, pseudocount=0.5).fit(["ACACACGT", "ACACAC"])
    expected = {"A": 4.5 / 7, "C": 0.5 / 7, "G": 1.5 / 7, "T": 0.5 / 7}
    assert model.probabilities("C") == pytest.approx(expected)
    assert np.isfinite(model.log_likelihood(["TTTT"])).all()
    assert not model.fit_.converged
    with pytest.raises(ParameterError, match="whole rows"):
        MarkovModel(order=0, tie=equal(4, [0, 1]), pseudocount=1.0).fit(["ACG"])
    with pytest.raises(ParameterError, match="pseudocount is -1"):
        MarkovModel(pseudocount=-1).fit(["ACG"])


def test_wrong_settings_are_refused():
    with pytest.raises(TyingError, match="there is no tie 'layers'; a Markov model has 'time'"):
        MarkovModel(tie=("time", "layers")).fit(["ACG"])
    with pytest.raises(TyingError, match="needs an order of 1"):
        MarkovModel(order=0, tie=("time", "lag")).fit(["ACG"])
    with pytest.raises(ParameterError, match="set max_length"):
        MarkovModel(tie=()).fit(["ACG"])
    with pytest.raises(ParameterError, match="order is -1"):
        MarkovModel(order=-1).fit(["ACG"])
    with pytest.raises(ParameterError, match="lower the order"):
        MarkovModel(order=6, alphabet="protein").fit(["ACG"])
    with pytest.raises(ParameterError, match="has 4 letters and the model"):
        MarkovModel(tie=(), max_length=3).fit(["ACG", "ACGT"])
    with pytest.raises(NotFittedError):
        MarkovModel().log_likelihood(["ACG"])
    with pytest.raises(ParameterError, match="give 2 letters of ACGT"):
        MarkovModel(order=2).fit(["ACG"]).probabilities("A")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"order": 0},
        {"order": 2, "ends": False},
        {"tie": (), "max_length": 8},
        {"tie": ("time", "lag"), "pseudocount": 0.5},
        {"alphabet": "rna"},
    ],
)
def test_a_saved_chain_is_the_same_chain(tmp_path, settings):
    rna = settings.get("alphabet") == "rna"
    learned, others = ["ACACACGT", "ACACAC", "GGNTA"], ["ACAC", "GGT", "TTT"]
    if rna:
        learned, others = ([text.replace("T", "U") for text in part] for part in (learned, others))
    chain = MarkovModel(**settings).fit(learned)
    chain.save(tmp_path / "chain.json")
    loaded = MarkovModel.load(tmp_path / "chain.json")
    assert loaded.get_params() == chain.get_params()
    assert np.array_equal(loaded.log_likelihood(others), chain.log_likelihood(others))
    assert loaded.n_free_parameters_ == chain.n_free_parameters_
    with pytest.raises(NotFittedError, match="not fitted to data"):
        _ = loaded.log_likelihood_
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "chain.json").read_bytes()


def test_files_that_are_no_chain_are_refused(tmp_path):
    file = tmp_path / "chain.json"
    with pytest.raises(NotFittedError):
        MarkovModel().save(file)
    MarkovModel().fit(["ACGTT", "GGA"]).save(file)
    kept = json.loads(file.read_text())

    def refusal(content):
        file.write_text(json.dumps(content))
        with pytest.raises(ModelFileError) as caught:
            MarkovModel.load(file)
        return str(caught.value)

    assert "says it is 'other'" in refusal(kept | {"format": "other"})
    assert "has 3 coordinates and its model" in refusal(kept | {"coordinates": [0.0] * 3})
    unknown = [*kept["coordinates"][:-1], "nan"]
    assert "of the coordinates is nan" in refusal(kept | {"coordinates": unknown})
    wrong = kept["settings"] | {"tie": ["tiem"]}
    assert "no tie 'tiem'" in refusal(kept | {"settings": wrong})
    assert "reference 'A', which is no letter" in refusal(kept | {"reference": "A"})
    other = [value + 0.001 if isinstance(value, float) else value for value in kept["coordinates"]]
    assert "changed after it was saved" in refusal(kept | {"coordinates": other})
    untied = kept | {"settings": kept["settings"] | {"tie": ["time", "lag"]}}
    assert "its own ties make them equal" in refusal(untied)
    for content in (3, [], {}, kept | {"settings": 3}, kept | {"steps": "x"}):
        assert "is not a saved Markov model" in refusal(content)


def test_a_length_that_the_chain_cannot_reach_is_refused():
    chain = MarkovModel().fit(["ACT", "ACACT"])
    assert {str(record.seq)[-1] for record in chain.simulate(5, seed=1)} == {"T"}
    with pytest.raises(ParameterError, match="no letter follows 'T'"):
        chain.simulate(1, length=50, seed=1)


def test_an_order_with_more_contexts_than_can_be_is_refused_at_once():
    for order in (11, 10**12):
        with pytest.raises(ParameterError, match="more than a million contexts; lower the order"):
            MarkovModel(order=order).fit(["ACGTTGCA"])
