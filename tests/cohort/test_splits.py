"""Fold plans: whole patients, whole sites, even events; anything leaky is refused with the patients' pseudonyms."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cohort.cohort import Cohort
from core.cohort.folds import Folds
from core.cohort.importing import import_cohort, import_into
from core.cohort.pseudonyms import workspace_secret
from core.cohort.sample import make_sample_cohort
from core.cohort.splits import check_leakage, folds_from_file, k_folds, resolve_folds, site_folds
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

SECRET = b"3" * 32


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_sample_cohort()[0]


def write_splits(folder: Path, tests: Sequence[Sequence[str]], everybody: Sequence[str], **also: object) -> Path:
    """Split files with train and val columns of unequal length; ``leak`` also puts one tested patient into train."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, held in enumerate(tests):
        train = [i for i in everybody if i not in held] + ([held[0]] if also.get("leak") and k == 0 else [])
        with (folder / f"splits_{k}.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["", "train", "val"])
            for n in range(max(len(train), len(held))):
                writer.writerow([n, train[n] if n < len(train) else "", held[n] if n < len(held) else ""])
    return folder


def test_k_folds_are_even_in_patients_and_in_events(cohort: Cohort) -> None:
    endpoint = cohort.endpoint()
    folds = k_folds(endpoint, 5, seed=1)
    sizes = np.bincount(folds.test_fold)
    events = np.bincount(folds.test_fold, weights=endpoint.event)
    assert sizes.max() - sizes.min() <= 1
    assert events.max() - events.min() <= 1
    assert not np.array_equal(folds.test_fold, k_folds(endpoint, 5, seed=2).test_fold)
    np.testing.assert_array_equal(folds.test_fold, k_folds(endpoint, 5, seed=1).test_fold)


@given(st.integers(0, 10_000), st.integers(2, 6))
@settings(max_examples=15, deadline=None)
def test_site_folds_never_share_a_site_and_use_every_fold(seed: int, k: int) -> None:
    cohort, _ = make_sample_cohort(120, seed)
    folds = site_folds(cohort, k, seed)
    where = {}
    for site, fold in zip(cohort.patients["site"], folds.test_fold, strict=True):
        assert where.setdefault(site, fold) == fold
    assert set(folds.test_fold.tolist()) == set(range(k))


def test_site_folds_are_as_even_as_the_best_of_all_plans() -> None:
    cohort, _ = make_sample_cohort(200, 5)
    sites = sorted(set(cohort.patients["site"]))
    labels = cohort.patients["site"].to_numpy()
    counts = np.array([[np.sum(labels == s), cohort.endpoint().event[labels == s].sum()] for s in sites], dtype=float)
    share = counts / counts.sum(axis=0)

    def cost(plan: np.ndarray) -> float:
        load = np.stack([np.bincount(plan, weights=w, minlength=3) for w in share.T], axis=1)
        return float(((load - 1 / 3) ** 2).sum())

    best = min(cost(np.array(np.unravel_index(i, (3,) * len(sites)))) for i in range(3 ** len(sites)))
    folds = site_folds(cohort, 3, seed=0)
    ours = cost(np.array([folds.test_fold[labels == s][0] for s in sites]))
    assert ours <= 1.5 * best + 1e-4


def test_fewer_sites_than_folds_and_no_site_at_all(cohort: Cohort) -> None:
    with pytest.raises(PrognoscopeError, match="8 sites for 9 folds"):
        site_folds(cohort, 9)
    bare = replace(cohort, patients=cohort.patients.drop(columns="site"))
    with pytest.raises(PrognoscopeError, match="no site column"):
        site_folds(bare)


def test_patients_without_a_site_stay_together(cohort: Cohort) -> None:
    patients = cohort.patients.copy()
    patients.loc[patients.index[:9], "site"] = None
    folds = site_folds(replace(cohort, patients=patients), 4)
    assert len(set(folds.test_fold[:9].tolist())) == 1


def test_a_split_that_leaks_is_refused_at_import_with_the_pseudonym(
    tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    write_study()
    ids = [f"TCGA-0{i % 3 + 2}-{i:04d}" for i in range(12)]
    good = import_cohort(tmp_path, "study", secret=SECRET)
    names = {o: p for p, o in good.original_ids.items()}
    write_splits(tmp_path / "splits", [ids[:6], ids[6:]], ids, leak=True)
    with pytest.raises(PrognoscopeError, match="both train and are tested") as caught:
        import_cohort(tmp_path, "study", secret=SECRET)
    assert names[ids[0]] in str(caught.value)
    write_splits(tmp_path / "splits", [ids[:6], ids[5:]], ids)
    with pytest.raises(PrognoscopeError, match="tested in two folds") as caught:
        import_cohort(tmp_path, "study", secret=SECRET)
    assert names[ids[5]] in str(caught.value)
    assert "TCGA" not in str(caught.value)
    write_splits(tmp_path / "splits", [ids[:6], ids[6:]], ids)
    folds = import_cohort(tmp_path, "study", secret=SECRET).cohort.folds["published"]
    assert folds.test_fold.tolist() == [0] * 6 + [1] * 6


def test_a_damaged_split_folder_leaves_no_key_behind(
    tmp_path: Path, workspace: Workspace, write_study: Callable[..., Path]
) -> None:
    write_study()
    ids = [f"TCGA-0{i % 3 + 2}-{i:04d}" for i in range(12)]
    write_splits(tmp_path / "splits", [ids[:6], ids[6:]], ids, leak=True)
    with pytest.raises(PrognoscopeError, match="1 patient who both train") as caught:
        import_into(workspace, tmp_path, "study")
    assert "P-" not in str(caught.value)  # without a key there are no pseudonyms to name them by
    assert not workspace.root.exists()
    workspace_secret(workspace)
    with pytest.raises(PrognoscopeError, match=r"1 patient \(P-"):
        import_into(workspace, tmp_path, "study")


def test_incomplete_published_folds_leave_patients_out_with_a_count(
    tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    write_study()
    ids = [f"TCGA-0{i % 3 + 2}-{i:04d}" for i in range(12)]
    write_splits(tmp_path / "splits", [ids[:5], [*ids[5:10], "TCGA-ZZ-9999"]], [*ids[:10], "TCGA-ZZ-9999"])
    cohort = import_cohort(tmp_path, "study", secret=SECRET).cohort
    assert (cohort.folds["published"].test_fold < 0).sum() == 2
    assert any("2 patients in none of the published folds" in w for w in cohort.warnings)
    assert any("1 patient of the published folds not in the cohort" in w for w in cohort.warnings)


def test_a_file_of_folds_by_pseudonym_or_by_original_id(cohort: Cohort, tmp_path: Path) -> None:
    originals = {p: f"MRN{i}" for i, p in enumerate(cohort.ids)}
    for names in (list(cohort.ids), list(originals.values())):
        path = tmp_path / "mine.csv"
        path.write_text("id,fold\n" + "".join(f"{n},{i % 4}\n" for i, n in enumerate(names)))
        folds = folds_from_file(path, cohort, originals)
        assert folds.name == "mine"
        assert folds.test_fold.tolist() == [i % 4 for i in range(len(cohort))]
        halves = write_splits(tmp_path / "halves", [names[:100], names[100:]], names)
        assert folds_from_file(halves, cohort, originals).test_fold.tolist() == [0] * 100 + [1] * (len(cohort) - 100)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id,fold\nSYN-0001,0\nSYN-0001,1\n", "tested in two folds"),
        ("id,fold\nSYN-0001,0\nSYN-0002,0\n", "fewer than two folds"),
        ("id,fold\nSYN-0001,0\nSYN-0002,2\n", "fewer than two folds, or an empty one"),
        ("id,fold\nnobody,0\n", "name no patient"),
        ("patient,fold\nSYN-0001,0\n", "without the columns id and fold"),
        ("id,fold\nSYN-0001,first\n", "not a number"),
    ],
)
def test_bad_files_of_folds(cohort: Cohort, tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "folds.csv").write_text(text)
    with pytest.raises(PrognoscopeError, match=found):
        resolve_folds(cohort, str(tmp_path / "folds.csv"))


def test_words_of_the_command_line(cohort: Cohort) -> None:
    assert resolve_folds(cohort, "site").k == 5
    assert resolve_folds(cohort, "4", "PFS").k == 4
    with pytest.raises(PrognoscopeError, match="no published folds"):
        resolve_folds(cohort, "published")
    with pytest.raises(PrognoscopeError, match="no such file of folds"):
        resolve_folds(cohort, "nonsense")
    with pytest.raises(PrognoscopeError, match="events for 500 folds"):
        resolve_folds(cohort, "500")


def test_a_site_in_two_folds_is_caught_and_its_patients_are_named(cohort: Cohort) -> None:
    folds = site_folds(cohort)
    check_leakage(folds, cohort)
    broken = folds.test_fold.copy()
    broken[7] = (broken[7] + 1) % 5
    with pytest.raises(PrognoscopeError, match="apart from their site") as caught:
        check_leakage(Folds("site", broken), cohort)
    assert cohort.ids[7] in str(caught.value)
    with pytest.raises(PrognoscopeError, match="another cohort"):
        check_leakage(Folds("site", broken[:-1]), cohort)
