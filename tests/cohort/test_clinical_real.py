"""TCGA-LIHC joined to its clinical files; cBioPortal and two plain liver tables."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohort.cohort import Role
from core.cohort.importers.biotab import read_biotab_clinical, read_biotab_file
from core.cohort.importers.joining import differing_outcomes
from core.cohort.importers.tcga_table import read_tcga_table
from core.cohort.importers.values import numbers
from core.cohort.importing import Imported, import_cohort
from core.errors import PrognoscopeError

pytestmark = pytest.mark.realdata
SECRET = b"2" * 32


@cache
def joined(data: Path) -> Imported:
    return import_cohort(data / "tcga" / "lihc", "lihc", clinical=[data / "hcc" / "tcga_lihc_biotab"], secret=SECRET)


def test_all_333_patients_join_and_survival_agrees_but_for_one(shared_data: Path) -> None:
    draft = read_tcga_table(shared_data / "tcga" / "lihc")
    table = read_biotab_clinical(shared_data / "hcc" / "tcga_lihc_biotab", only=set(draft.ids))
    assert set(draft.ids) == set(table.frame.index)
    assert len(draft.ids) == 333
    assert differing_outcomes(draft, table, "OS") == ("TCGA-HP-A5N0",)


def test_without_the_follow_up_file_38_events_and_197_further_times_are_wrong(shared_data: Path) -> None:
    draft = read_tcga_table(shared_data / "tcga" / "lihc")
    stale = read_biotab_clinical(shared_data / "hcc" / "tcga_lihc_biotab", follow_up=False, only=set(draft.ids))
    rows = [stale.frame.index.get_loc(i) for i in draft.ids]
    ours, theirs = draft.endpoints["OS"], stale.endpoints["OS"].take(np.array(rows))
    assert int((ours.event != theirs.event).sum()) == 38
    off = np.abs(ours.time - theirs.time) > 1
    assert int(off.sum()) - int(off[draft.ids.index("TCGA-HP-A5N0")]) == 197
    assert any("No follow-up file" in w for w in stale.warnings)


def test_a_join_tells_what_it_did(shared_data: Path) -> None:
    warnings = joined(shared_data).cohort.warnings
    assert any(w.startswith("333 patients of 333 joined") for w in warnings)
    assert any(w.startswith("1 patient with another OS outcome") for w in warnings)


def test_markers_have_the_measured_counts_before_their_units_are_judged(shared_data: Path) -> None:
    ids = set(read_tcga_table(shared_data / "tcga" / "lihc").ids)
    folder = shared_data / "hcc" / "tcga_lihc_biotab"
    raw = read_biotab_file(folder / "nationwidechildrens.org_clinical_patient_lihc.txt")
    raw = raw.keep([r for r, i in enumerate(raw["bcr_patient_barcode"]) if i in ids])
    counts = {
        "alpha_fetoprotien_at_procurement": 253,
        "serum_albumin_preresection": 270,
        "bilirubin_total": 274,  # the manifest says 273; a plain count of the column gives 274
        "prothrombin_time_INR_at_procurement": 266,
        "platelet_count_preresection": 276,
        "creatinine_level_preresection": 272,
    }
    filled = {c: np.isfinite(numbers(raw[c])[0]) for c in counts}
    assert {c: int(f.sum()) for c, f in filled.items()} == counts
    assert int(np.logical_and.reduce(list(filled.values())).sum()) == 214
    cohort = joined(shared_data).cohort.patients
    assert cohort["child_pugh"].value_counts().to_dict() == {"A": 199, "B": 21, "C": 1}
    assert cohort["ishak_fibrosis"].notna().sum() == 191
    assert cohort["afp"].max() == 2_035_400


def test_laboratory_values_are_on_one_scale_and_nothing_was_guessed(shared_data: Path) -> None:
    cohort = joined(shared_data).cohort
    p = cohort.patients
    assert cohort.units["albumin"] == "g/dL"
    for marker, low, high, count in (
        ("albumin", 1.0, 6.5, 268),
        ("bilirubin", 0.08, 60, 273),
        ("inr", 0.5, 8.0, 186),
        ("prothrombin_time", 7, 40, 80),
        ("platelets", 40, 700, 270),
        ("creatinine", 0.2, 3, 256),
    ):
        values = p[marker].dropna()
        assert values.between(low, high).all(), marker
        assert len(values) == count, marker
        assert cohort.roles[marker] is Role.MARKER
    both = p[["inr", "prothrombin_time"]].notna().all(axis=1)
    assert not both.any()
    assert p["inr"].notna().sum() + p["prothrombin_time"].notna().sum() == 266


def test_bilirubin_is_the_patients_value_and_not_the_limit_its_second_header_names(shared_data: Path) -> None:
    path = shared_data / "hcc" / "tcga_lihc_biotab" / "nationwidechildrens.org_clinical_patient_lihc.txt"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    at = lines[0].split("\t").index("bilirubin_total")
    assert lines[1].split("\t")[at] == "bilirubin_upper_limit"
    raw = {x.split("\t")[1]: x.split("\t")[at] for x in lines[3:]}
    ours = joined(shared_data)
    plain = [
        (float(raw[ours.original_ids[p]]), v)
        for p, v in ours.cohort.patients["bilirubin"].dropna().items()
        if float(raw[ours.original_ids[p]]) < 4
    ]
    assert len(plain) > 250
    assert all(given == value for given, value in plain)


def test_albi_follows_from_bilirubin_and_albumin_with_the_published_cuts(shared_data: Path) -> None:
    p = joined(shared_data).cohort.patients
    score = 0.66 * np.log10(p["bilirubin"] * 17.104) - 0.085 * p["albumin"] * 10
    np.testing.assert_allclose(p["albi"], score, atol=1e-9)
    grade = pd.cut(p["albi"], [-np.inf, -2.60, -1.39, np.inf], labels=["1", "2", "3"]).astype(object)
    assert (p["albi_grade"].dropna() == grade.dropna()).all()
    np.testing.assert_allclose(p["log10_afp"].dropna(), np.log10(p["afp"].dropna()))


def test_no_vascular_invasion_is_an_answer_and_not_a_missing_value(shared_data: Path) -> None:
    counts = joined(shared_data).cohort.patients["vascular_invasion"].value_counts()
    assert set(counts.index) == {"none", "micro", "macro"}
    assert counts["none"] > 150


def test_gdc_clinical_joins_every_patient_with_ages_in_years(shared_data: Path) -> None:
    path = shared_data / "hcc" / "tcga_lihc_gdc_clinical.tsv"
    alone = import_cohort(path, "gdc", secret=SECRET).cohort
    assert len(alone) == 404
    assert alone.patients["age"].dropna().between(10, 100).all()
    assert set(alone.patients["stage"].dropna()) == {"I", "II", "III", "IV"}
    both = import_cohort(shared_data / "tcga" / "lihc", "lihc", clinical=[path], secret=SECRET).cohort
    assert any(w.startswith("333 patients of 333 joined") for w in both.warnings)
    assert both.patients["stage"].notna().sum() > 300


def test_a_clinical_table_of_another_study_is_refused(shared_data: Path) -> None:
    with pytest.raises(PrognoscopeError, match="no patient of the study"):
        import_cohort(
            shared_data / "tcga" / "kirp", "kirp", clinical=[shared_data / "hcc" / "tcga_lihc_gdc_clinical.tsv"],
            secret=SECRET,
        )  # fmt: skip


def test_cbioportal_study_by_its_meta_files(shared_data: Path) -> None:
    found = import_cohort(shared_data / "cbioportal" / "study_es_0", "es0", secret=SECRET)
    cohort = found.cohort
    assert cohort.provenance.format == "cbioportal"
    assert cohort.title == "Test study es_0"
    row = {o: cohort.ids.index(p) for p, o in found.original_ids.items()}
    os = cohort.endpoint("OS")
    assert (int(os.event.sum()), int(os.known.sum())) == (87, 808)
    assert os.time[row["TCGA-A1-A0SK"]] == 31.77
    assert cohort.patients["subtype"].iloc[row["TCGA-A1-A0SK"]] == "basal-like"
    genes = cohort.genomics
    assert genes is not None
    assert genes.units == {"rnaseq": "z-score", "cnv": "copy-number call", "mut": "0/1"}
    value = genes.values[row["TCGA-A1-A0SD"], genes.columns.index("RPS11_rnaseq")]
    assert value == np.float32(0.7393)  # of the z-score file, not of the plain one
    assert genes.values[row["TCGA-A1-A0SB"], genes.columns.index("OR11H1_mut")] == 1
    assert genes.values[row["TCGA-A2-A04P"], genes.columns.index("OR11H1_mut")] == 0  # sequenced, no mutation
    assert np.isnan(genes.values[row["TCGA-A1-A0SD"], genes.columns.index("OR11H1_mut")])  # never sequenced
    assert "CADM2_mut" not in genes.columns  # a silent one, and of a second sample
    assert any("4 further samples" in w for w in cohort.warnings)
    assert any("DFS has no event" in w for w in cohort.warnings)


def test_a_plain_table_needs_the_users_columns_and_codes(shared_data: Path) -> None:
    path = shared_data / "hcc" / "pbc.csv"
    columns = {"id": "id", "time": "time", "event": "status", "time_unit": "days", "drop": "rownames"}
    with pytest.raises(PrognoscopeError, match="'2' in column 'status' is not mapped"):
        import_cohort(path, "pbc", columns=columns, secret=SECRET)
    events = {"0": "censored", "1": "competing", "2": "event"}
    os = import_cohort(path, "pbc", columns=columns, events=events, secret=SECRET).cohort.endpoint()
    assert (int(os.event.sum()), int(os.competing.sum()), len(os.time)) == (161, 25, 418)
    assert os.time[0] == pytest.approx(400 / 30.4375)


def test_resected_hcc_table_with_two_endpoints(shared_data: Path) -> None:
    columns = {
        "id": "Number", "time:OS": "OS", "event:OS": "Death", "time:RFS": "RFS", "event:RFS": "Recurrence",
        "input": "TNM,BCLC",
    }  # fmt: skip
    cohort = import_cohort(shared_data / "hcc" / "hepatoCellular.csv", "hcc", columns=columns, secret=SECRET).cohort
    assert len(cohort) == 227
    assert {n: int(e.event.sum()) for n, e in cohort.endpoints.items()} == {"OS": 97, "RFS": 143}
    assert set(cohort.columns(Role.INPUT)) == {"Age", "Gender", "TNM", "BCLC"}
    assert "rownames" not in cohort.patients  # it repeats the ids


def test_a_table_without_survival_times_is_not_taken_for_a_cohort(shared_data: Path) -> None:
    with pytest.raises(PrognoscopeError, match="no known study format"):
        import_cohort(shared_data / "hcc" / "uci_hcc_raw_header.txt", "uci", secret=SECRET)


def test_the_one_gdc_table_of_a_folder_is_found(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "clinical.tsv").write_bytes((shared_data / "hcc" / "tcga_lihc_gdc_clinical.tsv").read_bytes())
    assert len(import_cohort(tmp_path, "gdc", secret=SECRET).cohort) == 404
