"""Every FASTA file of the real data sets is read as it should be, or refused for its gaps."""

from __future__ import annotations

import gzip
import warnings

import pytest
from Bio import SeqIO

from seqbio.errors import AlphabetError, DuplicateIdWarning, PairingError
from seqbio.sequences import read_fasta, read_pairs

COUNTS = {
    "fixed_position/epd_promoters316_600bp.fasta.gz": ("dna", 316),
    "fixed_position/mm9_tss_500bp_1000.fasta.gz": ("dna", 1000),
    "fixed_position/promoters_uci_ecoli.fasta": ("dna", 106),
    "fixed_position/splice_uci_primate.fasta.gz": ("dna", 3190),
    "genome/ecoli_k12_mg1655_NC_000913.3.fna.gz": ("dna", 1),
    "genome/human_hg38_3pieces_softmasked.fasta.gz": ("dna", 3),
    "genome/lambda_NC_001416.fasta": ("dna", 1),
    "motif/crp0.fasta": ("dna", 18),
    "motif/ctcf_gm12878_top500_w200.fasta": ("dna", 500),
    "motif/ecoli_crp_regulondb_w120_jittered.fasta.gz": ("dna", 283),
    "motif/klf1_904_w500.fasta.gz": ("dna", 904),
    "motif/puf3p_rna_1236_w100.fasta.gz": ("rna", 1236),
    "motif/tap73alpha_1000_w200.fasta.gz": ("dna", 1000),
    "motif/yeast_mcm1_intergenic29.fasta": ("dna", 29),
    "pairs/brca1_55mammals_unaligned.fasta.gz": ("dna", 55),
    "pairs/globins10_lunter_unaligned.fasta": ("protein", 10),
    "pairs/globins45_unaligned.fasta": ("protein", 45),
    "pairs/hiv_siv_env_protein29_unaligned.fasta": ("protein", 29),
    "pairs/hiv_v3_loops_unaligned.fasta": ("protein", 1351),
    "pairs/made1_human_copies_unaligned.fasta": ("dna", 101),
    "pairs/mtdna_human_orangutan_pieces_unaligned.fasta": ("dna", 32),
    "pairs/mtdna_human_orangutan_unaligned.fasta": ("dna", 2),
    "pairs/pacbio_lambda_pairs_unaligned.fasta.gz": ("dna", 214),
    "pairs/primate_cdx2_promoter_unaligned.fasta": ("dna", 3),
    "recurrent/amp_iamp2l.fasta.gz": ("protein", 3284),
    "recurrent/ecoli_k12_proteome.faa.gz": ("protein", 4298),
}

# The id is the first word of a header, and several headers begin with the same word.
DUPLICATES = {
    "pairs/sca1_cds_unaligned.fasta": ("dna", 6, "'Mouse'"),
    "recurrent/ecoli_k12_cds.ffn.gz": ("dna", 4295, "'b0149', 'b1120'"),
}

ALIGNED = {
    "pairs/brca1_55mammals_aligned.fasta.gz": "dna",
    "pairs/globins10_lunter_aligned.fasta": "protein",
    "pairs/hiv_siv_env_protein29_aligned.fasta": "protein",
    "pairs/made1_human_copies_aligned.fasta": "dna",
    "pairs/mtdna_human_orangutan_pieces_aligned.fasta": "dna",
    "pairs/pacbio_lambda_pairs_aligned.fasta.gz": "dna",
    "pairs/primate_cdx2_promoter_aligned.fasta": "dna",
}


def contents(records):
    return [(record.id, record.description, str(record.seq)) for record in records]


def by_biopython(path):
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
        return contents(SeqIO.parse(stream, "fasta"))


def test_no_file_is_forgotten(data_directory):
    suffixes = (".fasta", ".fna", ".ffn", ".faa")
    found = {
        path.relative_to(data_directory).as_posix()
        for path in data_directory.glob("*/*")
        if path.name.removesuffix(".gz").endswith(suffixes)
    }
    assert found == {*COUNTS, *DUPLICATES, *ALIGNED}


@pytest.mark.parametrize("name", COUNTS)
def test_read_without_a_word_and_as_biopython_reads_it(data_directory, name):
    alphabet, count = COUNTS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        records = read_fasta(data_directory / name, alphabet)
    assert len(records) == count
    assert contents(records) == by_biopython(data_directory / name)


@pytest.mark.parametrize("name", DUPLICATES)
def test_read_with_a_warning_of_duplicate_ids(data_directory, name):
    alphabet, count, duplicates = DUPLICATES[name]
    with pytest.warns(DuplicateIdWarning, match=duplicates):
        records = read_fasta(data_directory / name, alphabet)
    assert len(records) == count
    assert contents(records) == by_biopython(data_directory / name)


@pytest.mark.parametrize("name", ALIGNED)
def test_alignments_are_refused_until_their_gaps_are_stripped(data_directory, name):
    path, alphabet = data_directory / name, ALIGNED[name]
    with pytest.raises(AlphabetError, match=r"line \d+: position \d+ is '-', which is a gap"):
        read_fasta(path, alphabet)
    unaligned = data_directory / name.replace("_aligned", "_unaligned")
    stripped = read_fasta(path, alphabet, strip_gaps=True)
    assert contents(stripped) == contents(read_fasta(unaligned, alphabet))


@pytest.mark.parametrize("name", ["motif/motifs_handful.jaspar", "genome/lambda_NC_001416.fasta"])
def test_the_wrong_kind_of_file_is_refused(data_directory, name):
    with pytest.raises(AlphabetError, match=r"record '.*', line \d+: position \d+ is"):
        read_fasta(data_directory / name, "rna")


def test_pairs_are_made_as_the_data_sets_say(data_directory):
    folder = data_directory / "pairs"
    assert len(read_pairs(folder / "pacbio_lambda_pairs_unaligned.fasta.gz")) == 107
    copies = read_pairs(folder / "made1_human_copies_unaligned.fasta", pairing="first-vs-rest")
    assert len(copies) == 100
    assert {first.id for first, _ in copies} == {"MADE1_consensus"}
    mammals = folder / "brca1_55mammals_unaligned.fasta.gz"
    [(human, mouse)] = read_pairs(mammals, select=[("Human", "Mouse")])
    assert (human.id, mouse.id) == ("Human", "Mouse")
    with pytest.raises(PairingError, match="55 records cannot be taken two by two"):
        read_pairs(mammals)
    with pytest.raises(PairingError, match=r"no record has the id 'Humans'; .*'Human'"):
        read_pairs(mammals, select=[("Humans", "Mouse")])
