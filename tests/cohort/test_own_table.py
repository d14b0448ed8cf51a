"""A table of the user's own: every named column and role counts, nothing misspelt is passed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.cohort.importers.biotab import read_biotab_clinical
from core.cohort.importing import import_cohort, import_into
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

SECRET = b"0" * 32
COLUMNS = {"id": "pid", "time": "days", "event": "died", "time_unit": "days"}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    path.write_text("pid,days,died,start,age\n" + "".join(f"p{i},{300 + i},{i % 2},{i},{50 + i}\n" for i in range(20)))
    return path


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"unit": "days"}, "no column role named 'unit'"),
        ({"tiem": "days"}, "no column role named 'tiem'"),
        ({"entry": "began"}, "no column 'began'"),
        ({"input": "age, weight"}, "no column 'weight'"),
        ({"marker": "AFP"}, "no column 'AFP'"),
        ({"drop": "nothing"}, "no column 'nothing'"),
        ({"site": "hospital"}, "no column 'hospital'"),
    ],
)
def test_a_misspelt_role_or_column_is_refused(own: Path, changed: dict[str, str], found: str) -> None:
    with pytest.raises(PrognoscopeError) as caught:
        import_cohort(own, "own", columns=COLUMNS | changed, secret=SECRET)
    assert caught.value.found == found


def test_columns_a_known_format_would_ignore_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_text("case_id,survival_months,censorship\na,1,0\nb,2,1\n")
    with pytest.raises(PrognoscopeError, match="columns named for the format tcga-table"):
        import_cohort(path, "own", columns={"time_unit": "days"}, secret=SECRET)


def test_an_unknown_entry_is_an_unknown_outcome_and_never_time_zero(own: Path) -> None:
    own.write_text(own.read_text().replace("p3,303,1,3,", "p3,303,1,,"))
    cohort = import_cohort(own, "own", columns=COLUMNS | {"entry": "start"}, secret=SECRET).cohort
    endpoint = cohort.endpoint()
    assert endpoint.known.sum() == 19
    assert np.isnan(endpoint.time[3])
    assert not endpoint.event[3]
    assert endpoint.entry[4] == pytest.approx(4 / 30.4375)
    assert "1 patient without an entry time: outcome unknown." in cohort.warnings


def test_times_of_centuries_make_one_ask_for_the_unit(own: Path) -> None:
    own.write_text(own.read_text().replace("p3,303,", "p3,4795,"))
    months = {k: v for k, v in COLUMNS.items() if k != "time_unit"}
    warnings = import_cohort(own, "own", columns=months, secret=SECRET).cohort.warnings
    assert any("reach 4,795 months (400 years)" in w for w in warnings)
    assert not any("years)" in w for w in import_cohort(own, "own", columns=COLUMNS, secret=SECRET).cohort.warnings)


@pytest.mark.parametrize("kind", ["tcga-table", "survpath", "cbioportal", "gdc-clinical", "biotab", "folder", "table"])
def test_a_forced_format_of_a_path_that_is_not_there(kind: str, tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(PrognoscopeError, match="no such file or folder"):
        import_into(workspace, tmp_path / "nowhere", "x", format=kind)
    (tmp_path / "empty").mkdir()
    with pytest.raises(PrognoscopeError):
        import_into(workspace, tmp_path / "empty", "x", format=kind, columns=COLUMNS if kind == "table" else None)
    assert not [p for p in workspace.root.rglob("*") if p.is_file()]


def test_laboratory_words_are_counted_not_lost(tmp_path: Path) -> None:
    header = "bcr_patient_barcode\tvital_status\tdeath_days_to\tlast_contact_days_to\tage_at_diagnosis\t"
    header += "serum_albumin_preresection\tserum_albumin_norm_range_lower\tserum_albumin_norm_range_upper\t"
    header += "alpha_fetoprotien_at_procurement\n"
    rows = ["A\tAlive\t\t100\tsixty\t4.0\t3.5\t5.0\t>60500\n", "B\tDead\t50\t\t61\t<2\t3.5\t5.0\t7\n"]
    (tmp_path / "clinical_patient_x.txt").write_text(header + "".join(rows))
    table = read_biotab_clinical(tmp_path)
    for column in ("age", "albumin", "afp"):
        assert f"1 value of {column} not a number: set missing." in table.warnings
