"""Outer folds: the published ones, whole sites, or stratified at random; always whole patients."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.cohort.cancer import cancers_of
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.cohort.folds import Folds
from core.cohort.importers.narrow_table import read_narrow
from core.cohort.site_folds import MISSING_SITE, site_folds
from core.cohort.split_files import leak, read_split, read_split_folder, split_files
from core.errors import PrognoscopeError

__all__ = [
    "check_leakage",
    "folds_from_file",
    "k_folds",
    "read_split_folder",
    "resolve_folds",
    "site_folds",
    "split_files",
]
MOST_FOLDS = 1000


def k_folds(endpoint: Endpoint, k: int, seed: int = 0) -> Folds:
    """``k`` random folds of whole patients with the same share of events each; patients without an outcome too.

    Raises
    ------
    PrognoscopeError
        When there are fewer events than folds.
    """
    if k < 2 or int(endpoint.event.sum()) < k:
        raise PrognoscopeError(
            f"{int(endpoint.event.sum())} events for {k} folds",
            f"endpoint {endpoint.name}",
            "use fewer folds, 2 or more",
        )
    rng = np.random.default_rng(seed)
    strata = np.where(endpoint.known, endpoint.codes, 3)
    order = np.concatenate([rng.permutation(np.flatnonzero(strata == s)) for s in (1, 2, 0, 3)])
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.arange(len(order)) % k  # dealt like cards: every stratum and the whole are even to ±1
    return Folds(f"{k}-fold", fold)


def folds_from_file(path: Path, cohort: Cohort, original_ids: Mapping[str, str] | None = None) -> Folds:
    """Folds from a file with columns ``id`` and ``fold``, or from a folder of ``splits_<k>.csv``.

    Parameters
    ----------
    path : Path
    cohort : Cohort
    original_ids : mapping of pseudonym to original id, optional
        With it the file may name patients by their original ids; pseudonyms are always understood.
    """
    originals = original_ids or {}
    pseudonym = {original: p for p, original in originals.items()} | {p: p for p in cohort.ids}
    if path.is_dir():
        spoken = _spoken_ids(path, cohort, originals)
        fold, _ = read_split_folder(path, spoken, pseudonym)
        return Folds(path.name, fold)
    row = {p: i for i, p in enumerate(cohort.ids)}
    fold = np.full(len(cohort), -1, dtype=np.int64)
    for name, k in _id_and_fold(path):
        who = pseudonym.get(name)
        if who is None:
            continue
        if fold[row[who]] not in (-1, k):
            raise leak("are tested in two folds", {who}, pseudonym, path.name)
        fold[row[who]] = k
    if (fold < 0).all():
        raise PrognoscopeError("folds that name no patient of this cohort", path.name, "check the id column")
    folds = Folds(path.stem, fold)
    check_leakage(folds, cohort)
    return folds


def _spoken_ids(folder: Path, cohort: Cohort, originals: Mapping[str, str]) -> tuple[str, ...]:
    """The cohort's ids as the split files write them: pseudonyms if any of those occurs, originals otherwise."""
    files = split_files(folder)
    if not files:
        raise PrognoscopeError(
            "no splits_0.csv", folder.name, "give a folder of split files or one CSV with id and fold"
        )
    if set().union(*read_split(files[0])) & set(cohort.ids):
        return cohort.ids
    return tuple(originals.get(p, p) for p in cohort.ids)


def _id_and_fold(path: Path) -> list[tuple[str, int]]:
    if not path.is_file():
        raise PrognoscopeError("no such file of folds", path.name, "use published, site, a number or a path")
    table = read_narrow(path)
    if "id" not in table or "fold" not in table:
        raise PrognoscopeError("a file of folds without the columns id and fold", path.name, "add them")
    numbered = [(name.strip(), _number(fold, path)) for name, fold in zip(table["id"], table["fold"], strict=True)]
    if not numbered:
        raise PrognoscopeError("a file of folds without a single patient", path.name, "write a line for each")
    return numbered


def _number(cell: str, path: Path) -> int:
    """A fold's number, as ``1`` or ``1.0``."""
    try:
        number = float(cell)
    except ValueError:
        number = -1.0
    if not (0 <= number < MOST_FOLDS and number.is_integer()):
        raise PrognoscopeError("a fold that is not a number", path.name, "number the folds 0, 1, 2 …")
    return int(number)


def resolve_folds(
    cohort: Cohort,
    spec: str,
    endpoint: str | None = None,
    seed: int = 0,
    original_ids: Mapping[str, str] | None = None,
) -> Folds:
    """Folds for the words of the command line.

    Parameters
    ----------
    spec : str
        ``"published"``, ``"site"`` (five folds; in a cohort of several cancers those of each cancer, joined), a number
        of folds, a path, or one of these with ``/inner2``: what a choice made inside outer fold 2 may use
        (:func:`inner_folds`).
    """
    outer, _, inner = spec.rpartition("/inner")
    if outer and inner.isdigit():
        return inner_folds(resolve_folds(cohort, outer, endpoint, seed, original_ids), int(inner))
    if spec == "site":
        return _site_folds_by_cancer(cohort, seed, endpoint)
    if spec.isdigit():
        return k_folds(cohort.endpoint(endpoint), int(spec), seed)
    if spec in cohort.folds:
        return cohort.folds[spec]
    if spec == "published":
        raise PrognoscopeError("no published folds", f"cohort {cohort.name!r}", "use site, a number or a file of folds")
    return folds_from_file(Path(spec), cohort, original_ids)


def inner_folds(outer: Folds, fold: int) -> Folds:
    """A split of the training patients of one outer fold, to choose by: its test patients take no part.

    The patients of the next outer fold are fold 0, which is tested; all others are fold 1, which only trains.
    """
    after = (fold + 1) % outer.k
    plan = np.where(outer.test_fold == after, 0, 1)
    plan[(outer.test_fold == fold) | (outer.test_fold < 0)] = -1
    return Folds(f"{outer.name}/inner{fold}", plan, 1)


def _site_folds_by_cancer(cohort: Cohort, seed: int, endpoint: str | None) -> Folds:
    """Folds of whole sites, as even as sites allow within every cancer: fold k of the cohort is fold k of each.

    Where a site has patients of two cancers, all cancers are dealt together, so that it stays whole.
    """
    cancers = cancers_of(cohort)
    of = np.array([cancers.get(i, "") for i in cohort.ids])
    if not cancers or cohort.sites is None or _shared_sites(cohort.sites, of):
        return site_folds(cohort, 5, seed, endpoint)
    plan = np.full(len(cohort), -1, dtype=np.int64)
    for cancer in np.unique(of):
        rows = np.flatnonzero(of == cancer)
        plan[rows] = site_folds(cohort.take(rows), 5, seed, endpoint).test_fold
    return Folds("site", plan)


def _shared_sites(sites: pd.Series, cancer: NDArray[np.str_]) -> bool:
    """Whether a site has patients of more than one cancer."""
    pairs = pd.DataFrame({"site": sites.fillna(MISSING_SITE).astype(str).to_numpy(), "cancer": cancer})
    return bool((pairs.drop_duplicates()["site"].value_counts() > 1).any())


def check_leakage(folds: Folds, cohort: Cohort, endpoint: str | None = None) -> None:
    """Refuse a plan that could not be evaluated honestly.

    Raises
    ------
    PrognoscopeError
        When the plan does not fit the cohort, has fewer than two folds, an empty fold, or, for a plan of
        sites, a site in two folds (the patients of the smaller part are named).
    """
    where = f"folds {folds.name!r}"
    if len(folds.test_fold) != len(cohort):
        raise PrognoscopeError("folds of another cohort", where, "choose them again for this cohort")
    counts = np.bincount(folds.test_fold[folds.test_fold >= 0], minlength=folds.k)
    if folds.k < 2 or (counts == 0).any():
        raise PrognoscopeError(
            "fewer than two folds, or an empty one", where, "number the folds 0, 1, 2 … without gaps"
        )
    if folds.name != "site" or cohort.sites is None:
        return
    labels = cohort.sites.fillna(MISSING_SITE).astype(str).to_numpy()
    for site in np.unique(labels):
        rows = np.flatnonzero((labels == site) & (folds.test_fold >= 0))
        inside = folds.test_fold[rows]
        if len(np.unique(inside)) > 1:
            smaller = rows[inside != np.bincount(inside).argmax()]
            who = {cohort.ids[i] for i in smaller}
            raise leak(f"are tested apart from their site {site}", who, {i: i for i in who}, where)
