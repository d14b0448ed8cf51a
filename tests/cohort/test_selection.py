"""Filters, counts, groups and coverage against the plainest possible recount."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cohort.cohort import Cohort, Provenance, Role
from core.cohort.endpoint import Endpoint
from core.cohort.modality import Modality
from core.cohort.selection import (
    MISSING,
    CategoryFilter,
    IdsFilter,
    ModalityFilter,
    NamedGroup,
    RangeFilter,
    Selection,
    apply,
    combinations,
    exclusions,
    find_ids,
    overlap,
    usable,
)
from core.errors import PrognoscopeError


def simulated(n: int, seed: int = 0) -> Cohort:
    rng = np.random.default_rng(seed)
    index = pd.Index([f"P-{i:06d}" for i in range(n)], name="patient", dtype=object)
    stage = rng.choice(np.array(["I", "II", "III", None], dtype=object), n)
    age = np.where(rng.random(n) < 0.05, np.nan, rng.normal(60, 10, n).round())
    patients = pd.DataFrame({"age": age, "stage": stage, "grade": rng.integers(1, 4, n).astype(float)}, index=index)
    available = pd.DataFrame({"genomics": rng.random(n) < 0.8, "clinical": rng.random(n) < 0.9}, index=index)
    months = np.where(rng.random(n) < 0.1, np.nan, rng.exponential(20, n))
    event = (rng.random(n) < 0.5) & np.isfinite(months)
    os = Endpoint("OS", "Overall survival", "diagnosis", np.zeros(n), months, event, np.zeros(n, dtype=bool))
    roles = dict.fromkeys(patients.columns, Role.INPUT)
    return Cohort("sim", "Simulated", patients, roles, {"OS": os}, available, Provenance("test", {}, "", "1"))


def test_counts_of_each_filter_equal_a_recount() -> None:
    cohort = simulated(500)
    filters = (
        CategoryFilter("stage", ("II", MISSING)),
        RangeFilter("age", 50, None),
        ModalityFilter("genomics"),
        CategoryFilter("grade", ("2", "3")),
    )
    selected = apply(Selection(filters), cohort)
    p = cohort.patients
    masks = [
        (p["stage"] == "II") | p["stage"].isna(),
        p["age"] >= 50,
        cohort.availability["genomics"],
        p["grade"].isin([2.0, 3.0]),
    ]
    everything = masks[0] & masks[1] & masks[2] & masks[3]
    assert selected.mask.tolist() == everything.tolist()
    assert 0 < selected.count < 500
    for i, count in enumerate(selected.counts):
        others = np.logical_and.reduce([m for j, m in enumerate(masks) if j != i])
        assert count.matching == int(masks[i].sum())
        assert count.left == int(np.logical_and.reduce(masks[: i + 1]).sum())
        assert count.returning == int(others.sum()) - selected.count


def test_an_open_selection_keeps_everybody_and_missing_values_only_on_request() -> None:
    cohort = simulated(200)
    assert apply(Selection(), cohort).count == 200
    missing = int(cohort.patients["age"].isna().sum())
    assert missing > 0
    assert apply(Selection((RangeFilter("age"),)), cohort).count == 200 - missing
    assert apply(Selection((RangeFilter("age", keep_missing=True),)), cohort).count == 200


def test_a_filter_replaces_its_own_kind_and_can_be_taken_away() -> None:
    first, second = RangeFilter("age", 50, 60), RangeFilter("age", 55, 70)
    selection = Selection().with_filter(first).with_filter(ModalityFilter("clinical")).with_filter(second)
    assert selection.filters == (second, ModalityFilter("clinical"))
    assert selection.without(second).filters == (ModalityFilter("clinical"),)


@given(
    st.lists(
        st.one_of(
            st.builds(CategoryFilter, st.text(max_size=8), st.lists(st.text(max_size=5)).map(tuple)),
            st.builds(RangeFilter, st.text(max_size=8), st.none() | st.floats(-9, 9), st.none() | st.floats(-9, 9)),
            st.builds(ModalityFilter, st.sampled_from([str(m) for m in Modality]), st.booleans()),
            st.builds(IdsFilter, st.lists(st.text(max_size=5)).map(tuple), st.text(max_size=5)),
        )
    )
)
@settings(max_examples=50, deadline=None)
def test_a_saved_view_comes_back_as_it_was(filters: list) -> None:
    selection = Selection(tuple(filters))
    assert Selection.from_json(selection.as_json()) == selection


def test_a_foreign_view_or_a_lost_column_is_named() -> None:
    with pytest.raises(PrognoscopeError, match="unknown filter"):
        Selection.from_json([{"kind": "sql", "query": "1"}])
    with pytest.raises(PrognoscopeError, match="no column 'ecog'"):
        apply(Selection((RangeFilter("ecog", 0, 1),)), simulated(10))


def test_pasted_ids_are_found_by_pseudonym_and_by_original_id_and_the_rest_is_listed() -> None:
    cohort = simulated(20)
    originals = {p: f"TCGA-AA-{i:04d}" for i, p in enumerate(cohort.ids)}
    found = find_ids("p-000003, tcga-aa-0007;\n'P-000003' nobody", cohort, originals)
    assert found.found == ("P-000003", "P-000007")
    assert found.not_found == ("nobody",)
    assert find_ids("TCGA-AA-0007", cohort).not_found == ("TCGA-AA-0007",)


def test_groups_obey_set_algebra() -> None:
    a, b = NamedGroup.of("a", ["1", "2", "3"]), NamedGroup.of("b", ["3", "4"])
    assert a.union(b).ids == ("1", "2", "3", "4")
    assert a.intersection(b).ids == ("3",)
    assert a.difference(b).ids == ("1", "2")
    shared = overlap(a, b)
    assert (shared.first_only, shared.both, shared.second_only) == (2, 1, 1)


def test_modality_combinations_are_exact_and_sum_to_the_selection() -> None:
    cohort = simulated(300)
    mask = np.arange(300) < 200
    found = {c.modalities: c.count for c in combinations(cohort, mask)}
    a = cohort.availability[:200]
    assert sum(found.values()) == 200
    assert found[(Modality.GENOMICS,)] == int((a["genomics"] & ~a["clinical"]).sum())
    assert found[(Modality.GENOMICS, Modality.CLINICAL)] == int((a["genomics"] & a["clinical"]).sum())
    assert found[()] == int((~a["genomics"] & ~a["clinical"]).sum())


def test_every_excluded_patient_is_counted_once() -> None:
    cohort = simulated(400)
    result = usable(cohort, "OS", [Modality.GENOMICS, "clinical"])
    assert [e.reason for e in result.exclusions] == ["missing OS time", "missing genomics", "missing clinical"]
    assert int(result.mask.sum()) + sum(e.count for e in result.exclusions) == 400
    either = exclusions(cohort, "OS", ["genomics", "clinical"], require="any")
    assert either[-1].reason == "none of genomics, clinical"
    assert sum(e.count for e in either) < sum(e.count for e in result.exclusions)


@pytest.mark.alone
def test_twenty_thousand_patients_are_filtered_well_below_half_a_second() -> None:
    cohort = simulated(20_000)
    selection = Selection(
        (
            CategoryFilter("stage", ("I", "II", MISSING)),
            RangeFilter("age", 45, 80),
            ModalityFilter("genomics"),
            IdsFilter(cohort.ids[::2]),
        )
    )
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        apply(selection, cohort)
        combinations(cohort)
        exclusions(cohort, "OS", ["genomics"])
        seconds.append(time.perf_counter() - start)
    print(f"p95 of filter and counts on 20 000 patients: {np.quantile(seconds, 0.95) * 1000:.1f} ms")
    assert np.quantile(seconds, 0.95) < 0.1
