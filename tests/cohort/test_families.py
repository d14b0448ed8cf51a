"""Gene families from CSV and GMT, and how they find their columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.cohort.families import match, match_families, read_families
from core.cohort.importing import import_cohort
from core.errors import PrognoscopeError

COLUMNS = ("TP53_rnaseq", "TP53_cnv", "TP53_mut", "RP11-707M1.1_mut", "MARCH6_cnv", "FGF4_rnaseq")


def test_a_ragged_csv_and_a_gmt_give_the_same_families(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("Suppressors,Growth factors\nTP53,FGF4\nRB1,\nTP53,\n")
    (tmp_path / "f.gmt").write_text("Suppressors\thttp://x\tTP53\tRB1\nGrowth factors\t\tFGF4\n")
    expected = {"Suppressors": ("TP53", "RB1"), "Growth factors": ("FGF4",)}
    assert read_families(tmp_path / "f.csv") == expected
    assert read_families(tmp_path / "f.gmt") == expected


def test_a_gene_takes_every_column_it_has_and_families_may_overlap() -> None:
    families = {"a": ("TP53", "RB1"), "b": ("TP53", "RP11-707M1.1"), "c": ("NONE",)}
    result = match(COLUMNS, families)
    assert result.families == {"a": (0, 1, 2), "b": (0, 1, 2, 3)}
    assert result.unmatched == {"a": 1, "b": 0, "c": 1}
    assert result.outside == 2
    assert result.warnings == (
        "2 gene columns in no family: kept in the table, given to no family.",
        "2 family genes without a column in this cohort.",
        "1 family without any column: left out.",
    )
    assert match_families(COLUMNS, families) == dict(result.families)


def test_families_of_another_species_are_refused() -> None:
    with pytest.raises(PrognoscopeError, match="no gene of the families occurs"):
        match(COLUMNS, {"mouse": ("Trp53",)})


def test_genes_in_no_family_stay_in_the_table(tmp_path: Path, write_study: Callable[..., Path]) -> None:
    (tmp_path / "f.csv").write_text("one\nTP53\n")
    cohort = import_cohort(write_study(), "study", families=tmp_path / "f.csv", secret=b"4" * 32).cohort
    assert cohort.genomics is not None
    assert cohort.genomics.values.shape == (12, 3)
    assert dict(cohort.genomics.families) == {"one": (0,)}
    assert any(w.startswith("2 gene columns in no family") for w in cohort.warnings)


@pytest.mark.realdata
def test_the_shared_family_files(shared_data: Path) -> None:
    six = read_families(shared_data / "tcga" / "signatures.csv")
    assert [len(g) for g in six.values()] == [82, 328, 513, 443, 1536, 452]
    assert len(set().union(*six.values())) == 3047
    assert len(read_families(shared_data / "genesets" / "h.all.v7.0.symbols.gmt")) == 50
