"""Every option that a message names is one of the command that gives the message."""

import ast
import inspect
import re
from pathlib import Path

import pytest
import typer

import seqbio
from seqbio.cli import app, common

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
PACKAGE = Path(seqbio.__file__).parent


def commands():
    """Give each command by its words, with its function and its options."""
    program = typer.main.get_command(app)
    for group in app.registered_groups:
        for each in group.typer_instance.registered_commands:
            name = each.name or each.callback.__name__
            options = {
                option
                for parameter in program.commands[group.name].commands[name].params
                for option in parameter.opts
            }
            yield (group.name, name), inspect.unwrap(each.callback), options


COMMANDS = {" ".join(words): (words, function, names) for words, function, names in commands()}


def bodies():
    """Give the functions of the command line by their module and name, methods by their class."""
    found = {}
    for file in PACKAGE.joinpath("cli").glob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found[None, node.name, file.stem] = node
            elif isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
                for method in node.body:
                    if isinstance(method, ast.FunctionDef):
                        found[node.name, method.name, file.stem] = method
                found[node.name, "bases", file.stem] = bases
    return found


BODIES = bodies()


def texts_and_names(function):
    """Collect the strings of a function, its docstring apart, and the names that it uses."""
    texts, names = [], set()
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    for node in (each for statement in body for each in ast.walk(statement)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
        elif isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
    return texts, names


def reachable(function):
    """Collect the strings of all that a command may call in the command line's own modules.

    Methods are those of the classes that the command takes as arguments, and their bases.
    """
    module = function.__module__.rpartition(".")[2]
    signature = BODIES[None, function.__name__, module].args
    classes = set(
        re.findall(r"\w+", " ".join(ast.unparse(a.annotation) for a in signature.kwonlyargs))
    )
    for (owner, name, _), bases in BODIES.items():
        if name == "bases" and owner in classes:
            classes |= set(bases)
    texts, seen, waiting = [], set(), [(None, function.__name__, module)]
    while waiting:
        key = waiting.pop()
        if key in seen or key[1] == "bases":
            continue
        seen.add(key)
        own, names = texts_and_names(BODIES[key])
        texts += own
        waiting += [
            (owner, name, where)
            for owner, name, where in BODIES
            if name in names and (owner in classes or (owner is None and not is_command(name)))
        ]
    return texts


def is_command(name):
    return any(function.__name__ == name for _, function, _ in COMMANDS.values())


def test_the_commands_are_found():
    assert {"pairhmm fit", "motif scan", "recurrent test"} <= COMMANDS.keys()
    texts = reachable(COMMANDS["pairhmm fit"][1])
    assert "with it every group is one file; leave out SECOND_FILE and --pair" in texts
    assert "with it every group is one file; leave out SECOND_FILE and --pair" not in reachable(
        COMMANDS["pairhmm align"][1]
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_messages_name_options_that_the_command_has(command):
    _, function, options = COMMANDS[command]
    # An option alone is a label: it stands before what is wrong with its value.
    for text in (text for text in reachable(function) if not OPTION.fullmatch(text)):
        assert set(OPTION.findall(text)) <= options | {"--help"}, text


# Options that messages of the library name, and the commands that may print these messages.
OF_LIBRARY = {
    "--bidirectional": ["recurrent train"],
    "--calibration": ["motif test"],
    "--embedding": ["recurrent train", "recurrent test"],
    "--ends": ["pairhmm fit", "pairhmm align", "pairhmm test"],
    "--keep-copies": ["pairhmm test", "motif test", "recurrent test"],
    "--label": ["recurrent train"],
    "--layers": ["recurrent train", "recurrent test"],
    "--max-length": ["recurrent train"],
    "--motifs": ["motif train", "motif test"],
    "--orient": ["pairhmm fit", "pairhmm align", "pairhmm test"],
    "--pooling": ["motif train", "motif test"],
    "--reference": ["pairhmm test"],
    "--strands": ["motif train", "motif test"],
    "--substitution": ["pairhmm fit", "pairhmm align", "pairhmm simulate", "pairhmm test"],
    "--strip-gaps": [
        *("pairhmm fit", "pairhmm align", "pairhmm test"),
        *("motif train", "motif predict", "motif shuffle", "motif test"),
        *("recurrent train", "recurrent score", "recurrent test"),
    ],
    "--window": ["recurrent test"],
}


def test_messages_of_the_library_name_options_of_those_who_print_them():
    named = set()
    for file in set(PACKAGE.rglob("*.py")) - set(PACKAGE.joinpath("cli").rglob("*")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                named |= {
                    option for text in texts_and_names(node)[0] for option in OPTION.findall(text)
                }
    assert named == OF_LIBRARY.keys()
    for option, names in OF_LIBRARY.items():
        for name in names:
            assert option in COMMANDS[name][2], (option, name)


@pytest.mark.parametrize(
    "line",
    [
        "pairhmm fit {gaps} --intervals none",
        "pairhmm align {gaps}",
        "pairhmm test {gaps}",
        "motif train {gaps} --width 2 --epochs 1",
        "motif predict {gaps} --model {detector}",
        "motif shuffle {gaps} --seed 1",
        "motif test {gaps} --width 1 --splits 1",
        "recurrent train {gaps} --hidden 1 --epochs 1 --save {out}",
        "recurrent score {network} {gaps}",
        "recurrent test {gaps} --order 0 --window 1-4",
    ],
)
def test_gaps_are_removed_by_the_option_that_the_message_names(run, fails, small, tmp_path, line):
    text = small["pairs"].read_text()
    (tmp_path / "gaps.fa").write_text(re.sub("^([ACGT]{3})", r"\1-.", text, flags=re.MULTILINE))
    names = small | {"gaps": tmp_path / "gaps.fa", "out": tmp_path / "out"}
    for model, train in (
        ("{network}", "recurrent train {early} --hidden 1 --epochs 1 --save {network} --quiet"),
        ("{detector}", "motif train {early} --width 4 --epochs 1 --save {detector} --quiet"),
    ):
        if model in line:
            assert run(*train.format_map(names).split()).exit_code == 0
    words = line.format_map(names).split()
    assert "position 4 is '-', which is a gap; remove the gaps with --strip-gaps" in fails(
        1, *words
    )
    result = run(*words, "--strip-gaps")
    assert result.exit_code == 0, result.stderr


def test_a_scan_counts_positions_in_the_file_and_takes_no_gaps(fails, small, write):
    message = fails(1, "motif", "scan", small["motif"], write("gaps.fa", ">x\nACG-T\n"))
    assert message.endswith("position 4 is '-', which is a gap; remove the gaps")


def test_letters_of_another_alphabet_than_that_of_the_motifs(fails, write):
    rna = write("rna.jaspar", ">x\nA [ 1 0 ]\nC [ 0 1 ]\nG [ 0 0 ]\nU [ 1 0 ]\n")
    message = fails(1, "motif", "scan", rna, write("dna.fa", ">x\nACGT\n"))
    assert message.endswith("write U, or choose alphabet 'dna' (or a model or motifs of DNA)")


def test_a_text_has_no_gaps(fails, small, tmp_path):
    text = ("recurrent", "train", small["early"], "--alphabet", "text", "--save", tmp_path / "m")
    assert fails(2, *text, "--strip-gaps") == "--strip-gaps: a text has no gaps; leave it out"


@pytest.mark.parametrize(
    ("message", "typed"),
    [
        ("hidden_size is 0; give 1 or more", "--hidden is 0; give 1 or more"),
        ("clip is 0; give a number", "--clip is 0; give a number"),
        ("lower the order, or raise max_length.", "lower the order, or raise --max-length."),
        ("with tie=('time', 'layers') or tie=()", "with --tie time,layers or --tie none"),
        ("use --label (task='class')", "use --label"),
        ("two or more (--layers; n_layers), and", "two or more (--layers), and"),
        ("keep_copies=True (--keep-copies)", "--keep-copies"),
        ("fewer (max_length; --window in the shell) of", "fewer (--window in the shell) of"),
        ("--embedding 2 (embedding_size=2); go", "--embedding 2; go"),
        # Files, ids, and what is no option of the command.
        ("max_length.fa: record 'n_epochs': none", "max_length.fa: record 'n_epochs': none"),
        ("open_x is 2; reference='x'", "open_x is 2; reference='x'"),
    ],
)  # fmt: skip
def test_arguments_are_named_as_they_are_typed(message, typed):
    assert (
        common.as_typed(message, COMMANDS["recurrent train"][2] | COMMANDS["recurrent test"][2])
        == typed
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "recurrent train {early} --save {out} --learning-rate 0",
            "--learning-rate is 0.0; give a",
        ),
        ("recurrent train {early} --save {out} --clip -1", "--clip is -1.0; give a number above 0"),
        (
            "recurrent train {early} --save {out} --validation 1",
            "--validation is 1.0; give a share",
        ),
        (
            "recurrent train {early} --save {out} --dropout 1",
            "--dropout is 1.0; give a number from",
        ),
        (
            "recurrent train {early} --save {out} --tie none",
            "with --tie none weights differ between",
        ),
        (
            "recurrent train {early} --save {out} --patience 2",
            "validation items, on which the loss",
        ),
        (
            "recurrent test {early} --model gru --learning-rate nan",
            "--learning-rate is nan; give a",
        ),
        ("recurrent test {early} --order 12", "contexts; lower the order"),
        ("pairhmm fit {pairs} --frequencies 0.5,0.5", "--frequencies: found (0.5, 0.5); give one"),
        (
            "pairhmm fit {pairs} --substitution lg",
            "leave --substitution out for the default of dna",
        ),
        ("motif scan {motif} {early} --threshold 2", "--threshold is 2.0"),
        ("motif train {early} --width 20", "14"),
    ],
)
def test_an_error_names_the_option_that_was_given(fails, small, tmp_path, line, message):
    words = line.format_map(small | {"out": tmp_path / "out"}).split()
    status = 1 if "width 20" in line else 2
    assert message in fails(status, *words)


def test_other_settings_than_a_checkpoint_has_are_named_as_options(run, fails, small, tmp_path):
    line = "recurrent train {early} --hidden 2 --save {out} --checkpoint {kept} --epochs"
    words = line.format_map(small | {"out": tmp_path / "o", "kept": tmp_path / "c.npz"}).split()
    assert run(*words, 2).exit_code == 0
    message = fails(1, *words, 1, "--resume")
    assert "n_epochs" not in message
    assert "--epochs" in message
    message = fails(1, *words, 3, "--resume", "--batch", 3)
    assert "--batch is 32 there and 3 now" in message


DETECTOR = "motif train {early} --epochs 1 --width 4"
NETWORK = "recurrent train {both} --save {out} --hidden 2 --epochs 1"


@pytest.mark.parametrize(
    ("line", "advice", "more"),
    [
        ("pairhmm fit {pairs} --tie switch", "--switch tied", "--switch tied"),
        ("pairhmm fit {pairs} --tie open,long", "--gap-lengths 2", "--gap-lengths 2"),
        ("pairhmm align {pairs} --tie open,frame", "--gap-lengths frame", "--gap-lengths frame"),
        ("pairhmm test {pairs} --null open,overhang --alternative open", "--ends free", None),
        (f"{DETECTOR} --tie readout", "--pooling none", "--pooling none"),
        (f"{DETECTOR} --strands one --tie strand", "--strands both", None),
        (f"{DETECTOR} --alphabet protein --strands both --tie position", "--strands one", None),
        (f"{DETECTOR} --pooling sum --motifs 3", "--motifs", None),
        (f"{NETWORK} --tie time,embedding", "--embedding 2", "--embedding 2"),
        (f"{NETWORK} --tie time,layers", "--layers", "--layers 2 --embedding 2"),
        (f"{NETWORK} --tie none", "--max-length", "--max-length 20"),
        (f"{NETWORK} --bidirectional", "--label", "--label kind"),
    ],
)
def test_what_a_message_advises_is_taken(run, fails, small, tmp_path, line, advice, more):
    words = line.format_map(small | {"out": tmp_path / "out"}).split()
    assert advice in fails(2, *words)
    if more is not None:
        result = run(*words, *more.split())
        assert result.exit_code == 0, result.stderr
