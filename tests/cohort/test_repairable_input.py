"""Input that can be repaired is repaired, and the repair is counted in words."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.cohort.cohort import Cohort, Role
from core.cohort.importing import Imported, import_cohort
from core.cohort.modality import Modality

SECRET = b"0" * 32


def read(path: Path, **options: object) -> Imported:
    return import_cohort(path, "study", secret=SECRET, **options)


def by_original(imported: Imported) -> dict[str, int]:
    """Original id → row of the cohort."""
    return {imported.original_ids[p]: r for r, p in enumerate(imported.cohort.ids)}


def warned(cohort: Cohort, text: str) -> bool:
    return any(text in w for w in cohort.warnings)


def test_a_well_formed_study_needs_no_warning_and_turns_censoring_into_events(write_study: Callable[..., Path]) -> None:
    imported = read(write_study())
    cohort = imported.cohort
    assert cohort.warnings == ()
    row = by_original(imported)
    os = cohort.endpoint("OS")
    assert os.event[row["TCGA-02-0000"]]
    assert not os.event[row["TCGA-03-0001"]]
    assert os.time[row["TCGA-02-0003"]] == 13.0
    assert cohort.patients["sex"].iloc[row["TCGA-03-0001"]] == "female"
    assert cohort.patients["sex"].iloc[row["TCGA-02-0000"]] == "male"
    assert "train" not in cohort.patients
    assert "slide_id" not in cohort.patients
    assert cohort.columns(Role.INPUT) == ("age", "sex")
    assert cohort.columns(Role.SITE) == ("site",)
    assert cohort.modalities == (Modality.GENOMICS, Modality.CLINICAL)


def test_gene_symbols_with_dots_dashes_and_month_names_stay_as_they_are(write_study: Callable[..., Path]) -> None:
    genomics = read(write_study()).cohort.genomics
    assert genomics is not None
    assert genomics.columns == ("TP53_rnaseq", "RP11-707M1.1_mut", "MARCH6_cnv")
    assert set(genomics.units) == {"rnaseq", "mut", "cnv"}
    assert list(genomics.families) == ["all genes"]


def test_slide_level_rows_become_one_patient_with_a_slide_count(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    rows = [make_patient(i) for i in range(4)] + [make_patient(2, slide_id=f"x{k}") for k in range(16)]
    imported = read(write_study(rows))
    assert len(imported.cohort) == 4
    assert imported.cohort.patients["slides"].tolist() == [1, 1, 17, 1]
    assert warned(imported.cohort, "1 patient with several lines (one a slide, 20 in all)")


def test_lost_leading_zeros_of_sites_come_back_from_the_case_id(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    rows = [make_patient(i, site=str(i % 3 + 2)) for i in range(6)] + [make_patient(6, site="ZZ")]
    cohort = read(write_study(rows)).cohort
    assert cohort.patients["site"].tolist() == ["02", "03", "04", "02", "03", "04", "ZZ"]
    assert warned(cohort, "6 sites without the leading zero")
    assert warned(cohort, "1 site different from the case id")


def test_latin_1_text_is_read_and_counted(write_study: Callable[..., Path], make_patient: Callable[..., dict]) -> None:
    rows = [make_patient(i) for i in range(4)] + [make_patient(4, oncotree_code="Ménétrier")]
    cohort = read(write_study(rows, encoding="latin-1")).cohort
    assert cohort.patients["oncotree_code"].iloc[4] == "Ménétrier"
    assert warned(cohort, "1 line not in UTF-8: read as latin-1")


def test_genes_that_are_no_finite_numbers_become_missing_and_are_counted(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    bad = ("inf", "-Infinity", "1e300", "#N/A!", "", "NA", "nan")
    rows = [make_patient(i, TP53_rnaseq=v) for i, v in enumerate(bad)] + [make_patient(7), make_patient(8)]
    cohort = read(write_study(rows)).cohort
    assert cohort.genomics is not None
    column = cohort.genomics.values[:, 0]
    assert np.isnan(column[:7]).all()
    assert column[7] == np.float32(0.7)
    assert warned(cohort, "4 gene values not finite or not a number")


def test_a_patient_without_any_gene_lacks_the_modality_and_stays(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    none = {"TP53_rnaseq": "", "RP11-707M1.1_mut": "", "MARCH6_cnv": ""}
    cohort = read(write_study([make_patient(0, **none), make_patient(1), make_patient(2)])).cohort
    assert cohort.availability["genomics"].tolist() == [False, True, True]


def test_missing_age_sex_and_oncotree_code_are_kept_as_missing(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    rows = [make_patient(0, age="", is_female="", oncotree_code=""), make_patient(1), make_patient(2, is_female=3)]
    cohort = read(write_study(rows)).cohort
    first = cohort.patients.iloc[0]
    assert np.isnan(first["age"])
    assert first["sex"] is None
    assert first["oncotree_code"] is None
    assert cohort.patients["sex"].iloc[2] is None
    assert warned(cohort, "1 value of is_female neither 0 nor 1")
    assert cohort.availability["clinical"].tolist() == [False, True, True]


def test_a_study_without_rna_and_one_without_any_gene(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    base = ("", "case_id", "slide_id", "age", "site", "survival_months", "censorship", "is_female")
    mutations = read(write_study(header=(*base, "RP11-707M1.1_mut"))).cohort
    assert mutations.genomics is not None
    assert set(mutations.genomics.units) == {"mut"}
    nothing = read(write_study(header=base, name="bare.csv"), format="tcga-table").cohort
    assert nothing.genomics is None
    assert nothing.modalities == (Modality.CLINICAL,)


def test_constant_and_extreme_genes_are_kept_and_counted(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    rows = [make_patient(i, MARCH6_cnv=0) for i in range(5)] + [make_patient(5, MARCH6_cnv=0, TP53_rnaseq=36_893.5)]
    cohort = read(write_study(rows)).cohort
    assert cohort.genomics is not None
    assert cohort.genomics.values[5, 0] == np.float32(36_893.5)
    assert warned(cohort, "1 gene column with one value for every patient: kept")
    assert warned(cohort, "1 gene column with a z-score beyond ±100: kept")


def test_repeated_columns_and_differing_repeats_are_counted(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    header = ("", "case_id", "slide_id", "age", "survival_months", "censorship", "TP53_rnaseq", "TP53_rnaseq")
    rows = [make_patient(0), make_patient(1), make_patient(1, TP53_rnaseq=9, age=90)]
    cohort = read(write_study(rows, header=header)).cohort
    assert warned(cohort, "1 column with the name of an earlier column: left out")
    assert warned(cohort, "1 further line of a patient with other gene values: the first line was kept")
    assert warned(cohort, "1 patient with several values of age: the first was kept")


def test_an_archive_of_one_member_outside_its_folder_is_read_as_a_stream(
    tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    path = tmp_path / "study" / "t.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(write_study(), "../dataset_csv/tcga_test.csv.zip")
    before = sorted(p.name for p in tmp_path.rglob("*"))
    cohort = read(path).cohort
    assert len(cohort) == 12
    assert warned(cohort, "1 archive member has a name that leads out of its folder")
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


def test_the_users_event_codes_replace_the_formats(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    rows = [make_patient(i, censorship=("alive", "dead", "transplant")[i % 3]) for i in range(9)]
    events = {"alive": "censored", "dead": "event", "transplant": "competing"}
    os = read(write_study(rows), events=events, time_zero="listing").cohort.endpoint()
    assert os.codes.tolist() == [0, 1, 2] * 3
    assert os.time_zero == "listing"


def test_unknown_outcomes_are_kept_without_time_and_never_as_events(
    write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    rows = [make_patient(0, survival_months=""), make_patient(2, censorship=""), make_patient(4), make_patient(5)]
    cohort = read(write_study(rows)).cohort
    os = cohort.endpoint()
    assert os.known.tolist() == [False, False, True, True]
    assert os.event.tolist() == [False, False, True, False]
    assert warned(cohort, "2 patients without a usable OS outcome")


@pytest.mark.parametrize("column", ["barcode", "note"])
def test_no_original_id_survives_the_import(
    column: str, write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    rows = [make_patient(i) for i in range(5)]
    for row in rows:
        row[column] = f"seen as {row['case_id'].lower()} in May" if column == "note" else row["case_id"]
    header = ("", "case_id", "slide_id", "age", "site", "survival_months", "censorship", "is_female", column)
    cohort = read(write_study(rows, header=header)).cohort
    assert column not in cohort.patients
    assert warned(cohort, "1 column that repeat")
    text = cohort.patients.to_csv() + " ".join(cohort.warnings) + repr(cohort.provenance)
    assert not any(str(row["case_id"]).lower() in text.lower() for row in rows)
