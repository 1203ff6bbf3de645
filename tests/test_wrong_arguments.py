"""Whatever is given to a public function, only errors of the package come out.

The names are enumerated, so a new one is tested as soon as it is public; what it takes that no
other function does is added to `valid`. Each argument in turn is replaced by values of every wrong
type and size; the others are right.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import io
import warnings
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from matplotlib import pyplot
from matplotlib.figure import Figure
from scipy.special import xlogy

from seqbio import core, hypothesis_testing, motif, pairhmm, recurrent, sequences
from seqbio.core import Effect, Hypothesis, Layout, equal, untied
from seqbio.errors import SeqbioError, SeqbioWarning
from seqbio.hypothesis_testing.comparison import Comparison

MODULES = ("core", "datasets", "hypothesis_testing", "motif", "pairhmm", "plots", "recurrent")
MODULES += ("report", "sequences")


class Counts:
    """Poisson counts of two kinds, which may have one rate: a model of the user's own."""

    layout = Layout({"log_rate": (2,)})
    boundary = np.array([True, True])

    def start(self, data):
        return np.zeros(2)

    def log_likelihood(self, full, data):
        rate = np.exp(full)[np.arange(len(data)) % 2]
        return xlogy(data, rate) - rate

    def log_likelihood_and_gradient(self, full, data):
        kind = np.arange(len(data)) % 2
        slope = np.bincount(kind, weights=data - np.exp(full)[kind], minlength=2)
        return self.log_likelihood(full, data).sum(), slope

    def simulate(self, full, data, generator):
        return generator.poisson(np.exp(full)[np.arange(len(data)) % 2]).astype(float)

    def effects(self, full):
        first, second = map(float, full)  # both may be -inf
        return {"ratio": Effect("second / first", second - first, np.array([-1.0, 1.0]), True)}


class Wrong:
    """A value of a type that nothing takes; called, it gives such a value."""

    def __init__(self, *args, **given):
        pass

    def __repr__(self):
        return "<wrong>"


WRONG = {
    "None": None,
    "True": True,
    "0": 0,
    "2": 2,
    "-1": -1,
    "0.5": 0.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "text": "x",
    "empty text": "",
    "bytes": b"x",
    "list": [],
    "list of None": [None],
    "dict": {},
    "tuple": (),
    "object": Wrong(),
    "class": Wrong,
    "integer of NumPy": np.int64(2),
    "NaNs": np.array([np.nan, np.nan]),
    "negative numbers": np.array([-1.0, -2.0]),
    "matrix": np.zeros((2, 3)),
    "empty array": np.array([]),
    "array of objects": np.array([None, "x"], dtype=object),
    "texts": ["x", "y"],
    "uneven lists": [[1, 2], [3]],
    "complex": 1j,
    "model that was not fitted": recurrent.MarkovModel(),
}

# -- right arguments -----------------------------------------------------------------------------

MODEL, DATA = Counts(), np.array([3.0, 9.0, 2.0, 12.0, 4.0, 8.0, 5.0, 11.0])
RATES = {"open_x": 0.02, "open_y": 0.02, "extend_x": 0.3, "extend_y": 0.3, "end": 0.02}
TRUTH = RATES | {"distance": 0.1, "kappa": 2.0}
MOTIF = ">m\nA [ 3 0 ]\nC [ 0 3 ]\nG [ 0 0 ]\nT [ 0 0 ]\n"
RECORDS, LABELS = ["ACGTACGTAC", "ACGGACGTTT", "AGGTACTTGA", "TTGTACGACA"], [0, 1, 0, 1]


class Fresh(NamedTuple):
    """A value that is made anew for each call, as a stream can be read once."""

    make: Callable[[], object]


@cache
def made():
    """Make one right object of each kind, once."""
    null = Hypothesis(MODEL, equal(2, [0, 1]))
    alternative = Hypothesis(MODEL, untied(2))
    null_fit, alternative_fit = (core.fit(MODEL, h.tying, DATA) for h in (null, alternative))
    given = pairhmm.PairHMM(tie=()).set_parameters(TRUTH)
    pairs = given.simulate(4, columns=30, seed=1)
    chain = recurrent.MarkovModel().fit(RECORDS)
    network = recurrent.RecurrentModel(hidden_size=2, n_epochs=1, seed=1).fit(RECORDS)
    classifier = recurrent.RecurrentModel(task="class", hidden_size=2, n_epochs=1, seed=1)
    detector = motif.MotifDetector(n_motifs=1, width=4, n_epochs=1, seed=1).fit(RECORDS, LABELS)
    site = motif.make_motif(9 * np.eye(4), "site")
    test = {"seed": 1, "n": 2, "n_replicates": 2}
    return SimpleNamespace(
        null=null,
        alternative=alternative,
        null_fit=null_fit,
        alternative_fit=alternative_fit,
        comparison=Comparison(null_fit, alternative_fit, DATA, 1),
        result=hypothesis_testing.compare(null, alternative, DATA),
        check=hypothesis_testing.calibrate(null, alternative, DATA, **test),
        power=hypothesis_testing.power(null, alternative, DATA, np.array([1.0, 2.0]), **test),
        given=given,
        pairs=pairs,
        hmm=pairhmm.PairHMM().fit(pairs),
        untied=pairhmm.PairHMM(tie=()).fit(pairs),
        groups=pairhmm.PairHMM().fit(pairs, groups=list("aabb")),
        chain=chain,
        network=network,
        classifier=classifier.fit(RECORDS, LABELS),
        detector=detector,
        site=site,
        hits=motif.scan(site, RECORDS, 0.05),
        alignments=given.align(pairs),
        records=sequences.read_fasta(io.StringIO(">x\nACGT\n>y\nACCT\n")),
    )


def valid():
    """Give right values by the name of a parameter, or of a function and its parameter."""
    m = made()
    return {
        # of arrays and ties
        "model": MODEL,
        "arrays": [[0, 1]],
        "data": DATA,
        "design": DATA,
        "tying": untied(2),
        "tyings": untied(2),
        "other": untied(2),
        "full": np.zeros(2),
        "free": np.zeros(2),
        "gradient_full": np.zeros(2),
        "layout": MODEL.layout,
        "shapes": {"rate": (2,)},
        "blocks": {"log_rate": np.zeros(2)},
        "vector": np.zeros(2),
        "coordinates": np.zeros(2),
        "group": [0, 1],
        "index_sets": [0, 1],
        "indices": [0, 1],
        "permutation": [1, 0],
        "left": [0],
        "right": [1],
        "n": 2,
        "n_full": 2,
        "n_items": 8,
        "n_buckets": 2,
        "rows": 2,
        "columns": 3,
        "shape": (2, 2),
        "axis": 0,
        "generator": np.random.default_rng(1),
        "seed": 1,
        "clusters": np.arange(8),
        "scores": np.ones((8, 2)),
        "parts": [DATA, DATA],
        "pieces": [1, 2],
        "progress": 0.5,
        "expected": 3.0,
        "about": "rates",
        "found": "events",
        "source": m.null,
        "fitted": m.alternative_fit,
        "effect": Effect("first", 1.0, np.array([1.0, 0.0])),
        "covariance": np.eye(2),
        "function": "log_rate[0]",
        "converged": True,
        "message": "done",
        "map_pieces.function": repr,
        "fixed.values": [0.0, 0.0],
        "profile_likelihood.values": [0.9, 1.0],
        "Positive.to_unconstrained.values": [1.0, 2.0],
        "Probability.to_unconstrained.values": [0.1, 0.2],
        "Layout.indices.name": "log_rate",
        "Layout.slice.name": "log_rate",
        # of tests
        "null": m.null,
        "alternative": m.alternative,
        "comparison": m.comparison,
        "exchange_test.comparison": Comparison(m.hmm.fit_, m.untied.fit_, m.hmm.data_, 2),
        "exchange_test.n_replicates": 1,
        "likelihood_ratio_test.data": DATA,
        "likelihood_ratio_test.null": m.null_fit,
        "likelihood_ratio_test.alternative": m.alternative_fit,
        "first": m.null_fit,
        "second": m.alternative_fit,
        "fits": {"one": m.null_fit, "two": m.alternative_fit},
        "pvalues": [0.1, 0.2],
        "truth": np.array([1.0, 2.0]),
        "bootstrap_test.n_replicates": 2,
        "split_test.n_splits": 2,
        "calibrate.n": 2,
        "calibrate.calibration": "chi2",
        "power.n": 2,
        "power.calibration": "chi2",
        "goodness_of_fit.fitted": m.hmm.fit_,
        "goodness_of_fit.data": m.hmm.data_,
        "not_fitted.hypothesis": Hypothesis(m.hmm.fit_.model, m.hmm.fit_.tying),
        "not_fitted.data": m.hmm.data_,
        # of sequences and motifs
        "records": RECORDS,
        "items": RECORDS,
        "sequences": RECORDS,
        "text": "ACGT",
        "letters": "ACGT",
        "codes": np.array([0, 1]),
        "ambiguity": {"N": "ACGT"},
        "cells": ["a", "b"],
        "what": "numbers",
        "name": "dna",
        "path": "file",
        "target": "file",
        "Alphabet.codes.letters": b"ACGT",
        "Alphabet.complaint.letters": b"ACXT",
        "Alphabet.complaint.index": 2,
        "Alphabet.find_invalid.letters": b"ACGT",
        "describe.name": "brca1",
        "path.name": "brca1",
        "numbers_by_letter.values": [1.0, 2.0, 3.0, 4.0],
        "write_fasta.records": m.records,
        "read_fasta.source": Fresh(lambda: io.StringIO(">x\nACGT\n")),
        "read_input.source": Fresh(lambda: io.StringIO(">x\nACGT\n")),
        "read_pairs.source": Fresh(lambda: io.StringIO(">x\nACGT\n>y\nACGT\n")),
        "stream_fasta.source": Fresh(lambda: io.StringIO(">x\nACGT\n")),
        "read_text.source": Fresh(lambda: io.StringIO("to be")),
        "read_motifs.source": Fresh(lambda: io.StringIO(MOTIF)),
        "motif": m.site,
        "motifs": m.site,
        "query": m.site,
        "targets": [m.site],
        "counts": 9 * np.eye(4),
        "hits": m.hits,
        "MotifDetector.labels": LABELS,
        "MotifDetector.width": 4,
        "MotifDetector.n_motifs": 1,
        "MotifDetector.n_epochs": 1,
        "MotifDetector.hypothesis.data": (RECORDS, LABELS),
        # of pairs
        "pairs": m.pairs,
        "GroupedPairs.groups": list("aabb"),
        "GroupedPairs.numbers.names": ("a", "b"),
        "x": RECORDS[0],
        "y": RECORDS[1],
        "n_pairs": 1,
        "alignments": m.alignments,
        "PairHMM.accept.fitted": m.hmm.fit_,
        "PairHMM.accept.data": m.hmm.data_,
        "PairHMM.hypothesis_of.data": m.hmm.data_,
        "PairHMM.set_parameters.parameters": TRUTH,
        "PairHMM.of_group.name": "a",
        # of recurrent models
        "context": "A",
        "texts": ["to be"],
        "gradient_flow.longest_lag": 3,
        "gradient_flow.n_places": 2,
        "RecurrentModel.n_epochs": 1,
        "RecurrentModel.hidden_size": 2,
        "RecurrentModel.load_state_dict.state": m.network.state_dict(),
        "simulate.length": 5,
        # of plots and reports
        "result": m.result,
        "check": m.check,
        "powers": {1.0: m.power},
        "hmm": m.hmm,
        "parameter": "open_x",
        "models": {"one": m.hmm},
        "aligned": m.alignments[0],
        "gaps": m.given.gap_length_fit(m.pairs, longest=3),
        "flows": m.network.gradient_flow(RECORDS, longest_lag=3),
        "profile_likelihood.n_values": 2,
        "training_curves.model": m.network,
        "draw_logo.axes": Fresh(lambda: Figure().subplots()),
        "estimator": m.hmm,
        "intervals": {},
        "method": "none",
        "write_report.source": m.result,
    }


def instance(name):
    """Give what a method is tried on, by the names of its class and its own."""
    m = made()
    methods = {"PairHMM.of_group": m.groups, "RecurrentModel.predict": m.classifier}
    methods |= {"RecurrentModel.predict_proba": m.classifier}
    objects = (m.hmm, m.chain, m.network, m.detector, m.check, MODEL.layout, untied(2))
    objects += (sequences.DNA, recurrent.CharacterAlphabet("ACGT obe"), core.TrainingSettings())
    objects += (pairhmm.GroupedPairs(m.pairs, list("aabb")),)
    classes = {type(each).__name__: each for each in objects}
    return copy.copy(methods.get(name, classes[name.split(".")[0]]))


# Made by the package, not by users.
RESULTS = {"Bootstrap", "Check", "Comparison", "CriteriaTable", "Dataset", "Effect"}
RESULTS |= {"EffectEstimate", "ExchangeTest", "Fit", "GapLengths", "GradientCheck", "GroupedData"}
RESULTS |= {"GroupedModel", "HeldOutComparison", "Hit", "Hits", "LearnedSymmetry"}
RESULTS |= {"LikelihoodRatioResult", "Match", "Misfit", "Power", "Reading", "SelfCheck"}
RESULTS |= {"SignFlips", "SplitTest", "Stretch", "Symmetry", "Training", "TrainingState"}
RESULTS |= {"VuongTest"}
# What they say is for the user's own classes to fill in.
PROTOCOLS = {"Constraint", "Estimator", "Model", "SupportsHypothesis"}


def public():
    """Yield the name of each public function, class and method with its signature."""
    for module in MODULES:
        names = importlib.import_module(f"seqbio.{module}")
        for name in getattr(names, "__all__", ("names", "describe", "path")):
            thing = getattr(names, name)
            if inspect.isfunction(thing):
                yield f"{module}.{name}", inspect.signature(thing)
            elif inspect.isclass(thing) and thing.__module__.startswith("seqbio."):
                if issubclass(thing, BaseException) or name in PROTOCOLS:
                    continue
                if name not in RESULTS:
                    yield f"{module}.{name}", inspect.signature(thing)
                elif name != "SelfCheck":
                    continue
                for method in dir(thing):
                    if not method.startswith("_") and callable(getattr(thing, method)):
                        signature = inspect.signature(getattr(thing, method))
                        if set(signature.parameters) - {"self"}:
                            yield f"{module}.{name}.{method}", signature


PUBLIC = dict(public())


def right(name, parameter):
    """Give a right value of a parameter, the one that is named most narrowly."""
    _, *parts = name.split(".")
    known = valid()
    for place in (".".join(parts), parts[0], parts[-1]):
        if f"{place}.{parameter.name}" in known:
            return known[f"{place}.{parameter.name}"]
    if parameter.default is not parameter.empty and parameter.name != "seed":
        return parameter.default
    return known[parameter.name]


def right_call(name):
    """Give the parameters of what is named, without `self`, and a right value of each."""
    parameters = [
        each
        for each in PUBLIC[name].parameters.values()
        if each.name != "self" and each.kind is not each.VAR_KEYWORD
    ]
    return inspect.Signature(parameters), {each.name: right(name, each) for each in parameters}


def call(name, signature, values):
    """Call what is named, with a value for each parameter; estimators are fitted, too."""
    module, *parts = name.split(".")
    thing = getattr(importlib.import_module(f"seqbio.{module}"), parts[0])
    if len(parts) == 2:
        thing = getattr(instance(".".join(parts)), parts[1])
    arguments, named = [], {}
    for parameter in signature.parameters.values():
        value = values.get(parameter.name)
        value = value.make() if isinstance(value, Fresh) else value
        if parameter.kind is parameter.VAR_POSITIONAL:
            arguments.append(value)
        elif parameter.name in values and parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        elif parameter.name in values:
            arguments.append(value)
    made_now = thing(*arguments, **named)
    if isinstance(made_now, core.Estimator) and len(parts) == 1:
        data = (made().pairs,) if isinstance(made_now, pairhmm.PairHMM) else (RECORDS,)
        labelled = isinstance(made_now, motif.MotifDetector)
        made_now.fit(*data, *([LABELS] if labelled else []))


def tried(name, signature, values):
    """Tell how a call failed, if not by an error of the package or of the file system."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SeqbioWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            call(name, signature, values)
        except (SeqbioError, OSError):
            return ""
        except Exception as error:  # noqa: BLE001 (that none comes out is what is tested)
            return f"{type(error).__name__}: {error}"
        finally:
            pyplot.close("all")
    return ""


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::seqbio.errors.SeqbioWarning")
@pytest.mark.parametrize("name", PUBLIC)
def test_only_errors_of_the_package_come_out(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown, values = right_call(name)
    if not name.endswith(".load"):  # there is no file, which is an answer, too
        call(name, shown, values)
    failures = [
        f"{parameter}={label}: {failure}"
        for parameter in values
        if not of_the_users_own_model(name, parameter)
        for label, wrong in WRONG.items()
        if wrong is not shown.parameters[parameter].default
        if (failure := tried(name, shown, values | {parameter: wrong}))
    ]
    assert failures == []


MANY = [
    (name, parameter)
    for name, signature in PUBLIC.items()
    for parameter in ("records", "sequences", "validation", "pairs")
    if parameter in signature.parameters and name != "pairhmm.GroupedPairs"
]


@pytest.mark.parametrize(("name", "parameter"), MANY)
@pytest.mark.parametrize("one", ["ACGT", Seq("ACGT"), SeqRecord(Seq("ACGT"))], ids=type)
def test_one_sequence_is_not_taken_for_a_list_of_its_letters(one, name, parameter):
    shown, values = right_call(name)
    with pytest.raises((SeqbioError, FileNotFoundError)):
        call(name, shown, values | {parameter: one})


def of_the_users_own_model(name, parameter):
    """Tell what only the user's own model could refuse: its data, and impossible rates."""
    module = name.split(".")[0]
    if module not in ("core", "hypothesis_testing"):
        return False
    return parameter in ("data", "design") or name in ("core.simulate_from", "core.joined_of")


def test_settings_are_checked_where_they_are_used():
    with pytest.raises(SeqbioError, match="n_epochs is '5'; give an integer"):
        recurrent.RecurrentModel(n_epochs="5").fit(RECORDS)
    with pytest.raises(TypeError, match=r"width is 4\.0; give an integer"):
        motif.MotifDetector(width=4.0).fit(RECORDS, LABELS)
    with pytest.raises(ValueError, match="alphabet is None; give text"):
        pairhmm.PairHMM(alphabet=None).log_likelihood([("A", "A")])


def test_numbers_of_numpy_are_numbers():
    detector = motif.MotifDetector(
        n_motifs=np.int64(1), width=np.int32(4), learning_rate=np.float32(0.02), n_epochs=1, seed=1
    )
    assert detector.fit(RECORDS, LABELS).motifs_[0].length == 4
    assert len(made().given.simulate(np.int64(2), columns=np.int64(5), seed=np.int64(1))) == 2
    assert core.untied(np.int64(3)).n_free == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.detector.predict([]), "there are no sequences; give at least one"),
        (lambda m: m.classifier.predict([]), "there are no sequences; give at least one"),
        (lambda m: m.chain.score([]), "there are no sequences; give at least one"),
        (lambda m: m.network.bits_per_symbol([]), "there are no sequences; give at least one"),
        (lambda m: m.hmm.score([]), "there are no pairs; give at least one"),
        (lambda m: m.network.predict(RECORDS), "for task='class' and the task is 'next'"),
        (
            lambda m: hypothesis_testing.compare(m.null, m.alternative, DATA, executor=2),
            "executor is 2; give an Executor or None",
        ),
        (lambda m: plots().null_distribution(m.hmm), r"result is .*; give a LikelihoodRatioResult"),
        (lambda m: recurrent.CharacterAlphabet.of([1, 2]), "some of the texts are no text"),
    ],
)
def test_the_message_says_what_is_taken(call, message):
    with pytest.raises(SeqbioError, match=message):
        call(made())


def plots():
    return importlib.import_module("seqbio.plots")
