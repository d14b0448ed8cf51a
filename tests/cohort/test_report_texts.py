"""Reports joined by case id, and what a report still says about who it is of: nothing but a pseudonym."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from core.cohort.importing import import_cohort, import_into
from core.cohort.media_index import load_media
from core.cohort.report_findings import Identifying
from core.cohort.report_texts import hide_ids
from core.cohort.storage import load_original_ids
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

SECRET = b"3" * 32


def test_reports_of_tcga_liver_join_every_patient_of_lihc(shared_data: Path, workspace: Workspace) -> None:
    path = shared_data / "reports" / "tcga_liver_path_reports.csv"
    cohort = import_into(workspace, shared_data / "tcga" / "lihc", "lihc", reports=[path], identifying=Identifying.KEEP)
    assert len(cohort) == int(cohort.availability["reports"].sum()) == 333
    source = pd.read_csv(path)
    mine = source[source.case_id.isin(load_original_ids("lihc", workspace).values())]
    index = load_media("lihc", workspace)
    assert len(index) == len(mine.drop_duplicates(["case_id", "ocr_text"]))
    assert {f.label for f in index.files} == {"pathology"}
    strangers = len(source) - len(mine)
    assert any(w.startswith(f"{strangers} reports of tcga_liver") for w in cohort.warnings)
    originals = load_original_ids("lihc", workspace)
    for file in index.files:
        text = Path(file.path).read_text()
        assert not re.search(r"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}", text)
        assert originals[file.patient] not in text
    whole = source.set_index("case_id").ocr_text
    for file in index.files:
        raw, stored = whole[originals[file.patient]], Path(file.path).read_text()
        if isinstance(raw, str):  # every line but the one that named the patient is word for word the report's
            kept = set(stored.splitlines())
            assert all(re.search("UUID|T[CO]GA", x, re.IGNORECASE) for x in raw.splitlines() if x not in kept)


@pytest.mark.parametrize(
    ("own", "text", "expected", "count"),
    [
        ("HOSP-12", "HOSP-12, hosp 12 and HOSP - 12; HOSP-123 is not", "P-A, hosp 12 and P-A; HOSP-123 is not", 2),
        ("12", "Patient 12: lesion of 12 mm, case no. 12.", "Patient P-A: lesion of 12 mm, case no. P-A.", 2),
        ("2019", "In 2019 4 lesions. ID: 2019", "In 2019 4 lesions. ID: P-A", 1),
        ("654321", "MRN 654321 / 6543210", "MRN P-A / 6543210", 1),
        ("TCGA-2V-A95S", "see TCGA-2V-A955 -01A-PR Redacted. 2V liver", "see P-A Redacted. 2V liver", 1),
        ("TCGA-2V-A95S", "ABTOGA- 2V-A95S-01Z-00-DX1 x", "ABP-A x", 1),
        ("TCGA-2V-A95S", "UUID:BE263DC7-2250.42E2 -8AD6-D99A6DF67986\nTCGA studies", "UUID:P-A\nTCGA studies", 1),
        ("HOSP-12", "like OTHER-77 (and OTHER-778)", "like P-B (and OTHER-778)", 1),
    ],
)  # fmt: skip
def test_ids_in_a_text_become_pseudonyms(own: str, text: str, expected: str, count: int) -> None:
    assert hide_ids(text, own, {own: "P-A", "OTHER-77": "P-B"}) == (expected, count)


def test_a_table_of_reports(tmp_path: Path) -> None:
    study = tmp_path / "study.csv"
    study.write_text("case_id,survival_months,censorship\nTCGA-AA-0001,1,0\nTCGA-AA-0002,2,1\nTCGA-AA-0003,2,1\n")
    reports = tmp_path / "r.csv"
    reports.write_text(
        'Case_ID,report_type,Text\nTCGA-AA-0001-01A,CT,"one,\n two"\nTCGA-AA-0001,MR of 2019-01-01,three\n'
        "TCGA-AA-0002,CT,\nTCGA-AA-0003,CT,four\nTCGA-AA-0003,CT,four\nTCGA-ZZ-0001,CT,five\n"
    )
    found = import_cohort(study, "s", reports=[reports], secret=SECRET)
    names = {o: p for p, o in found.original_ids.items()}
    assert [(r.patient, r.text, r.label) for r in found.reports] == [
        (names["TCGA-AA-0001"], "one,\n two", "ct"),
        (names["TCGA-AA-0001"], "three", ""),
        (names["TCGA-AA-0003"], "four", "ct"),
    ]
    for words in ("2 patients of 3 with a report in r.csv.", "1 row of r.csv without an id or a text: left out.",
                  "1 report of r.csv word for word like another: left out.",
                  "1 report of r.csv of patients not in the cohort: left out."):  # fmt: skip
        assert words in found.cohort.warnings
    reports.write_text("case_id,text\nTCGA-ZZ-0001,x\n")
    with pytest.raises(PrognoscopeError, match="no report of a patient of the study"):
        import_cohort(study, "s", reports=[reports], secret=SECRET)
    reports.write_text("case_id,words\nTCGA-AA-0001,x\n")
    with pytest.raises(PrognoscopeError, match="no column of texts"):
        import_cohort(study, "s", reports=[reports], secret=SECRET)
