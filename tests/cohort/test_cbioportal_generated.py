"""A small generated cBioPortal study: what counts as a mutation, which sample and which profile is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.cohort.importing import import_cohort
from core.errors import PrognoscopeError

FILES = {
    "meta_study.txt": "cancer_study_identifier: mini\nname: Mini study\n",
    "meta_p.txt": "genetic_alteration_type: CLINICAL\ndatatype: PATIENT_ATTRIBUTES\ndata_filename: p.txt\n",
    "meta_s.txt": "genetic_alteration_type: CLINICAL\ndatatype: SAMPLE_ATTRIBUTES\ndata_filename: s.txt\n",
    "meta_c.txt": "genetic_alteration_type: COPY_NUMBER_ALTERATION\ndatatype: DISCRETE\ndata_filename: c.txt\n",
    "meta_m.txt": "genetic_alteration_type: MUTATION_EXTENDED\ndatatype: MAF\ndata_filename: m.maf\n",
    "p.txt": "#a\nPATIENT_ID\tOS_STATUS\tOS_MONTHS\tAGE\tSEX\tCENTER\n"
    "anna1\t1:DECEASED\t5\t61\tFemale\tX\nbert2\t0:LIVING\t9\t50\tMale\tY\ncleo3\t0:LIVING\t7\tNA\tFemale\tX\n",
    "s.txt": "PATIENT_ID\tSAMPLE_ID\nanna1\ta-1\nanna1\ta-2\nbert2\tb-1\ncleo3\tc-1\n",
    "c.txt": "Hugo_Symbol\tEntrez_Gene_Id\ta-1\ta-2\tb-1\nMYC\t1\t2\t-2\t0\nTP53\t2\t-1\t0\tNA\nMYC\t3\t0\t0\t0\n",
    "m.maf": "#version 2.4\nHugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\n"
    "TP53\tMissense_Mutation\ta-1\nRB1\tSilent\ta-1\nRB1\tNonsense_Mutation\tb-1\nKRAS\tIntron\tb-1\n",
}


def write(folder: Path, **changed: str) -> Path:
    for name, text in (FILES | changed).items():
        (folder / name).write_text(text)
    return folder


def test_first_sample_calls_and_protein_changing_mutations(tmp_path: Path) -> None:
    found = import_cohort(write(tmp_path), "mini", secret=b"5" * 32)
    cohort, genes = found.cohort, found.cohort.genomics
    assert genes is not None
    assert genes.columns == ("MYC_cnv", "TP53_cnv", "RB1_mut", "TP53_mut")
    np.testing.assert_array_equal(genes.values[0], [2, -1, 0, 1])  # the silent RB1 is no mutation
    np.testing.assert_array_equal(genes.values[1], [0, np.nan, 1, 0])
    assert np.isnan(genes.values[2]).all()
    assert cohort.availability["genomics"].tolist() == [True, True, False]
    assert cohort.patients["sex"].tolist() == ["female", "male", "female"]
    assert cohort.patients["age"].isna().tolist() == [False, False, True]
    assert any("1 line of c.txt without a new gene symbol" in w for w in cohort.warnings)


def test_an_unknown_status_is_refused_until_the_user_maps_it(tmp_path: Path) -> None:
    odd = FILES["p.txt"].replace("0:LIVING\t7", "2:TRANSPLANT\t7")
    with pytest.raises(PrognoscopeError, match="'2:TRANSPLANT' in column 'OS_STATUS' is not mapped"):
        import_cohort(write(tmp_path, **{"p.txt": odd}), "mini", secret=b"5" * 32)
    events = {"1:DECEASED": "event", "0:LIVING": "censored", "2:TRANSPLANT": "competing"}
    cohort = import_cohort(tmp_path, "mini", events=events, secret=b"5" * 32).cohort
    assert cohort.endpoint().codes.tolist() == [1, 0, 2]


def test_two_lines_about_one_patient_are_refused(tmp_path: Path) -> None:
    twice = FILES["p.txt"] + "anna1\t0:LIVING\t8\t61\tFemale\tX\n"
    with pytest.raises(PrognoscopeError, match="1 patient with two lines"):
        import_cohort(write(tmp_path, **{"p.txt": twice}), "mini", secret=b"5" * 32)
