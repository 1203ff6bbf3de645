"""What the commands write with --json is what the schema says, and nothing else."""

from __future__ import annotations

import json

import pytest
import typer
from jsonschema import Draft202012Validator

from seqbio.cli import app, common


@pytest.fixture(scope="module")
def validator():
    from importlib.resources import files

    schema = json.loads(files("seqbio.cli").joinpath("schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


SMALL = "--hidden 2 --epochs 1"
LINES = [
    "version",
    "ties",
    "pairhmm fit {pairs}",
    "pairhmm fit {pairs} --tie none --intervals none --starts 2",
    "pairhmm align {pairs} --model {model}",
    "pairhmm align {pairs} --model {model} --method mea",
    "pairhmm align {pairs} --model {model} --samples 2",
    "pairhmm simulate --model {model} --columns 20 --seed 1",
    "pairhmm test {pairs}",
    "pairhmm test {pairs} --calibration bootstrap --replicates 5",
    "motif train {early} --negatives {late} --width 4 --motifs 1 --epochs 2 --known {motif}",
    "motif train {early} --negatives {late} --width 4 --motifs 1 --epochs 2 --save {detector}",
    "motif predict {early} --model {detector}",
    "motif scan {motif} {early} --threshold 0.01",
    "motif shuffle {early} --seed 1",
    "motif test {early} --negatives {late} --width 1 --null position --alternative none --splits 1",
    f"recurrent train {{early}} {SMALL} --save {{network}}",
    f"recurrent train {{both}} {SMALL} --label kind --validation 0.2 --save {{classifier}}",
    "recurrent score {network} {early}",
    "recurrent score {classifier} {early}",
    "recurrent simulate {network} --length 5 --seed 1",
    "recurrent test {early} --order 0 --window 1-4",
    "recurrent test {early} --model rnn --hidden 1 --epochs 1 --window 1-3 --calibration held-out",
]


@pytest.mark.parametrize("line", LINES)
def test_output_is_as_the_schema_says(run, validator, small, line):
    words = [word.format_map(small) for word in line.split()]
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content["schema_version"] == common.SCHEMA_VERSION
    definition = "-".join(content["command"].split())
    narrow = {**validator.schema, "$ref": f"#/$defs/{definition}"}
    del narrow["oneOf"]  # which would only say that none fits
    errors = Draft202012Validator(narrow).iter_errors(content)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
    validator.validate(content)


def test_every_command_with_json_has_a_definition(validator):
    program = typer.main.get_command(app)
    commands = {
        f"{group}-{name}" if name else group
        for group, command in program.commands.items()
        for name, each in getattr(command, "commands", {"": command}).items()
        if not each.hidden and any("--json" in option.opts for option in each.params)
    }
    definitions = validator.schema["$defs"]
    assert {name for name, it in definitions.items() if "command" in it.get("properties", {})} == (
        commands
    )
    listed = {ref["$ref"].removeprefix("#/$defs/") for ref in validator.schema["oneOf"]}
    assert listed == commands
    assert commands == {"-".join(line.split()[:2]) for line in LINES}


def test_every_key_is_explained(validator):
    def unexplained(node, path):
        if "$ref" in node or "const" in node:
            return
        if path and "description" not in node:
            yield path
        for name, below in node.get("properties", {}).items():
            yield from unexplained(below, f"{path}.{name}")

    definitions = validator.schema["$defs"].items()
    assert [place for name, node in definitions for place in unexplained(node, name)] == []


def test_the_schema_is_printed(run, validator):
    assert json.loads(run("schema").stdout) == validator.schema
