"""The guard against leaks: what it lets through, and whom it names when it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.deletion import cohort_deletion, remove_cohort
from core.analysis.fold_plan import check_plan
from core.cohort.folds import Folds
from core.cohort.own_folds import keep_folds, own_folds, own_folds_path
from core.cohort.same_person import check_same_person
from core.cohort.sample import make_sample_cohort
from core.cohort.storage import save_cohort
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

COHORT = make_sample_cohort()[0]
BOTH = ("genomics", "clinical")
RANDOM = np.arange(240) % 4


def test_a_sound_plan_is_counted_fold_by_fold() -> None:
    found = check_plan(COHORT, "OS", BOTH, "5", {})
    event = COHORT.endpoint("OS").event
    assert found.patients == 240
    for k, row in enumerate(found.table.to_dict("records")):
        test = found.folds.test(k)
        assert (row["Tested"], row["Events tested"]) == (len(test), int(event[test].sum()))
        assert row["Train"] + row["Tested"] == 240
        assert row["Events in training"] + row["Events tested"] == int(event.sum())


def test_patients_without_the_modality_are_left_out_with_the_reason() -> None:
    found = check_plan(COHORT, "OS", ("genomics",), "5", {})
    have = int(COHORT.availability["genomics"].sum())
    assert found.patients == have
    assert found.left_out == (("none of genomics", 240 - have),)
    assert int(found.table["Tested"].sum()) == have


def test_folds_of_whole_sites_pass_and_say_so_random_folds_warn() -> None:
    sites = COHORT.sites.to_numpy()
    found = check_plan(COHORT, "OS", BOTH, "site", {})
    assert any("No site is in two folds" in words for words in found.passed)
    assert not any("one site train" in words for words in found.notes)
    folds_of = {site: set(found.folds.test_fold[sites == site]) for site in np.unique(sites)}
    assert all(len(folds) == 1 for folds in folds_of.values())
    assert any("one site train" in words for words in check_plan(COHORT, "OS", BOTH, "5", {}).notes)


def test_a_plan_that_claims_whole_sites_and_splits_one_is_refused_by_name() -> None:
    whole = check_plan(COHORT, "OS", BOTH, "site", {}).folds.test_fold.copy()
    sites = COHORT.sites.to_numpy()
    row = int(np.flatnonzero(sites == sites[0])[0])
    whole[row] = (whole[row] + 1) % 5
    broken = replace(COHORT, folds={"hospitals": Folds("site", whole)})
    with pytest.raises(PrognoscopeError, match=COHORT.ids[row]):
        check_plan(broken, "OS", BOTH, "hospitals", {})


def test_two_rows_of_one_person_in_different_folds_are_refused_under_their_pseudonyms() -> None:
    originals = {p: f"TCGA-AA-{i:04d}" for i, p in enumerate(COHORT.ids)}
    folds = Folds("4-fold", RANDOM)
    assert check_same_person(folds, COHORT, originals) == 240
    first, second, third = COHORT.ids[0], COHORT.ids[1], COHORT.ids[4]
    together = originals | {third: "tcga-aa-0000-11A"}
    assert check_same_person(folds, COHORT, together) == 239
    with pytest.raises(PrognoscopeError) as refused:
        check_same_person(folds, COHORT, originals | {second: "tcga-aa-0000-11A"})
    assert first in str(refused.value)
    assert second in str(refused.value)
    assert "TCGA" not in str(refused.value).upper()


def csv(rows: list[tuple[str, int]]) -> bytes:
    return "\n".join(["id,fold", *(f"{i},{k}" for i, k in rows)]).encode()


def test_own_folds_are_kept_under_pseudonyms_and_found_again(workspace: Workspace) -> None:
    originals = {p: f"hospital-{i}" for i, p in enumerate(COHORT.ids)}
    rows = [(originals[p], int(k)) for p, k in zip(COHORT.ids, RANDOM, strict=True)]
    name = keep_folds({"mine.csv": csv(rows)}, COHORT, originals, workspace)
    assert own_folds(COHORT.name, workspace) == (name,)
    path = own_folds_path(name, COHORT.name, workspace)
    assert "hospital" not in path.read_text()
    found = check_plan(COHORT, "OS", BOTH, str(path), {})
    assert (found.folds.test_fold == RANDOM).all()
    assert keep_folds({"again.csv": csv(rows)}, COHORT, originals, workspace) == name


def test_folds_brought_for_a_cohort_go_with_it(workspace: Workspace) -> None:
    save_cohort(COHORT, None, workspace)
    keep_folds({"mine.csv": csv(list(zip(COHORT.ids, RANDOM.tolist(), strict=True)))}, COHORT, {}, workspace)
    assert any("folds" in words for words in cohort_deletion(COHORT.name, workspace).goes)
    remove_cohort(COHORT.name, workspace)
    assert own_folds(COHORT.name, workspace) == ()


def test_own_folds_that_leak_are_refused_by_name_and_nothing_is_kept(workspace: Workspace) -> None:
    twice = [(p, int(k)) for p, k in zip(COHORT.ids, RANDOM, strict=True)] + [(COHORT.ids[3], 0)]
    with pytest.raises(PrognoscopeError, match=COHORT.ids[3]):
        keep_folds({"mine.csv": csv(twice)}, COHORT, {}, workspace)
    ids = list(COHORT.ids)
    halves = [(ids[:120], ids[120:]), (ids[120:], [*ids[:120], ids[200]])]
    files = {
        f"splits_{k}.csv": "\n".join(
            ["train,val", *(f"{a},{b}" for a, b in zip(t + [""] * len(v), v + [""] * len(t), strict=False))]
        ).encode()
        for k, (t, v) in enumerate(halves)
    }
    with pytest.raises(PrognoscopeError, match=ids[200]):
        keep_folds(files, COHORT, {}, workspace)
    assert own_folds(COHORT.name, workspace) == ()
