"""Sequences in and out: alphabets, encoding, FASTA files, pairs, files written whole.

This is the only part of the package that reads and writes files. Models receive lists of str,
Bio.Seq.Seq or Bio.SeqRecord.SeqRecord, check them with `as_records` or `as_pairs`, and work on the
small integers that `encode_records` and `encode_pairs` give.
"""

from __future__ import annotations

from .alphabet import DNA, PROTEIN, RNA, Alphabet, get_alphabet, numbers_by_letter
from .fasta import read_fasta, write_fasta
from .input import Source, read_input
from .output import atomic_writer, check_target, open_descriptor, tsv_line
from .pairs import Pair, Pairing, as_pairs, encode_pairs, read_pairs
from .records import SequenceLike, as_records, encode_records
from .shuffle import SingleArrangementWarning, shuffle_dinucleotides
from .streaming import Stretch, stream_fasta
from .text import CharacterAlphabet, read_text

__all__ = [
    "DNA",
    "PROTEIN",
    "RNA",
    "Alphabet",
    "CharacterAlphabet",
    "Pair",
    "Pairing",
    "SequenceLike",
    "SingleArrangementWarning",
    "Source",
    "Stretch",
    "as_pairs",
    "as_records",
    "atomic_writer",
    "check_target",
    "encode_pairs",
    "encode_records",
    "get_alphabet",
    "numbers_by_letter",
    "open_descriptor",
    "read_fasta",
    "read_input",
    "read_pairs",
    "read_text",
    "shuffle_dinucleotides",
    "stream_fasta",
    "tsv_line",
    "write_fasta",
]
