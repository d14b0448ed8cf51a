"""Treatments come first among the columns that may be arms; a code of the tumour is never taken for one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.analysis.arm_columns import arm_columns, is_treatment
from core.cohort.cohort import Role
from core.cohort.sample import make_sample_cohort


def test_treatments_come_first_and_what_has_one_level_is_none() -> None:
    cohort = make_sample_cohort()[0]
    n = len(cohort)
    levels = {"oncotree_code": 2, "procedure": 3, "centre": 1, "visit": 30}
    described = list(cohort.columns(Role.DESCRIPTION))
    values = {c: [f"v{i % k}" for i in range(n)] for c, k in levels.items()}
    patients = cohort.patients.drop(columns=described).assign(**values)
    roles = {c: r for c, r in cohort.roles.items() if c not in described}
    made = replace(cohort, patients=patients, roles=roles | dict.fromkeys(levels, Role.DESCRIPTION))
    assert arm_columns(made) == ("procedure", "oncotree_code")


@pytest.mark.parametrize(
    ("column", "expected"),
    [("neoadjuvant_treatment", True), ("TACE", True), ("radiation_therapy", True), ("oncotree_code", False),
     ("farm_region", False), ("race", False)],
)  # fmt: skip
def test_what_sounds_like_a_treatment(column: str, expected: bool) -> None:
    assert is_treatment(make_sample_cohort()[0], column) is expected
