"""Outer folds: the published ones, whole sites, or stratified at random; always whole patients."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.arrays import FloatArray, IntArray
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.cohort.folds import Folds
from core.errors import PrognoscopeError

MISSING_SITE = "(no site)"
_RESTARTS = 20


def split_files(folder: Path) -> tuple[Path, ...]:
    """``splits_0.csv``, ``splits_1.csv``, … of a folder in the order of their numbers; empty where there are none."""
    if not folder.is_dir():
        return ()
    found = {int(m[1]): p for p in folder.iterdir() if (m := re.fullmatch(r"splits_(\d+)\.csv", p.name))}
    return tuple(found[k] for k in sorted(found))


def read_split_folder(
    folder: Path, ids: Sequence[str], names: Mapping[str, str] | None = None
) -> tuple[IntArray, list[str]]:
    """Test folds from files with a ``train`` and a ``val`` (or ``test``) column of unequal length.

    Parameters
    ----------
    folder : Path
        Holds ``splits_0.csv`` … one file a fold.
    ids : sequence of n str
        Patients in the order wanted.
    names : mapping of id to pseudonym, optional
        How a patient is called in an error; without it errors only count.

    Returns
    -------
    test_fold : (n,) int array, -1 = in no fold
    warnings : list of str

    Raises
    ------
    PrognoscopeError
        When a patient trains and is tested in one fold, or is tested in two.
    """
    row = {original: i for i, original in enumerate(ids)}
    fold = np.full(len(ids), -1, dtype=np.int64)
    strangers: set[str] = set()
    for k, path in enumerate(split_files(folder)):
        train, test = _read_split(path)
        if train & test:
            raise _leak("both train and are tested", train & test, names, path.name)
        for original in sorted(test):
            if original not in row:
                strangers.add(original)
            elif fold[row[original]] >= 0:
                raise _leak("are tested in two folds", {original}, names, path.name)
            else:
                fold[row[original]] = k
        strangers |= {i for i in train if i not in row}
    warnings = []
    if strangers:
        warnings.append(f"{len(strangers):,} patients of the published folds are not in the cohort: left out of them.")
    if (fold < 0).any():
        warnings.append(f"{int((fold < 0).sum()):,} patients are in none of the published folds.")
    if (fold < 0).all():
        raise PrognoscopeError("folds that name no patient of this cohort", folder.name, "give the folds of this study")
    return fold, warnings


def _read_split(path: Path) -> tuple[set[str], set[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    held = "val" if rows and "val" in rows[0] else "test"
    if not rows or "train" not in rows[0] or held not in rows[0]:
        raise PrognoscopeError("a split without train and val columns", path.name, "check the file")
    return tuple({(r[c] or "").strip() for r in rows} - {"", "nan"} for c in ("train", held))  # type: ignore[return-value]


def _leak(what: str, who: set[str], names: Mapping[str, str] | None, where: str) -> PrognoscopeError:
    named = sorted(names[i] for i in who if i in names) if names else []
    listed = f" ({', '.join(named[:10])}{', …' if len(named) > 10 else ''})" if named else ""
    subject = "1 patient" if len(who) == 1 else f"{len(who):,} patients"
    return PrognoscopeError(f"{subject}{listed} who {what}", where, "correct the split files")


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


@dataclass(frozen=True, eq=False)
class _SiteCounts:
    """(s, 2) patients and events of each site as shares of the cohort."""

    names: tuple[str, ...]
    number: IntArray
    weight: FloatArray


def _count_sites(cohort: Cohort, endpoint: Endpoint) -> _SiteCounts:
    sites = cohort.sites
    if sites is None:
        raise PrognoscopeError("no site column", f"cohort {cohort.name!r}", "use --folds 5 or a file of folds")
    labels = sites.fillna(MISSING_SITE).astype(str).to_numpy()
    names, number = np.unique(labels, return_inverse=True)
    counts = np.stack([np.bincount(number), np.bincount(number, weights=endpoint.event)], axis=1).astype(float)
    return _SiteCounts(tuple(names), number.astype(np.int64), counts / np.maximum(counts.sum(axis=0), 1))


def site_folds(cohort: Cohort, k: int = 5, seed: int = 0, endpoint: str | None = None) -> Folds:
    """Folds of whole sites, as even in patients and in events as sites allow.

    Sites are dealt largest first to the emptiest fold and then moved one by one while that helps, from several
    seeded starts; the most even plan is kept. Patients without a site form one site of their own.

    Raises
    ------
    PrognoscopeError
        When the cohort has no site column or fewer sites than folds.
    """
    sites = _count_sites(cohort, cohort.endpoint(endpoint))
    if len(sites.names) < k:
        raise PrognoscopeError(
            f"{len(sites.names)} sites for {k} folds", f"cohort {cohort.name!r}", "use fewer folds or --folds 5"
        )
    rng = np.random.default_rng(seed)
    plans = [_improved(_dealt(sites.weight, k, rng), sites.weight, k) for _ in range(_RESTARTS)]
    best = min(plans, key=lambda plan: _unevenness(plan, sites.weight, k))
    folds = Folds("site", best[sites.number])
    check_leakage(folds, cohort, endpoint)
    return folds


def _dealt(weight: FloatArray, k: int, rng: np.random.Generator) -> IntArray:
    """Largest site first, to the fold with the least so far; near-equal sites in random order."""
    size = weight.sum(axis=1) * rng.uniform(0.8, 1.25, len(weight))
    load = np.zeros((k, 2))
    plan = np.empty(len(weight), dtype=np.int64)
    for site in np.argsort(-size):
        fold = int(np.argmin((load + weight[site]).max(axis=1)))
        plan[site] = fold
        load[fold] += weight[site]
    return plan


def _improved(plan: IntArray, weight: FloatArray, k: int) -> IntArray:
    """Move single sites while that makes the folds more even; no fold is emptied."""
    best = _unevenness(plan, weight, k)
    moved = True
    while moved:
        moved = False
        for site in range(len(plan)):
            home = plan[site]
            for fold in range(k):
                plan[site] = fold
                value = _unevenness(plan, weight, k)
                if value < best - 1e-12 and len(np.unique(plan)) == k:
                    best, home, moved = value, fold, True
            plan[site] = home
    return plan


def _unevenness(plan: IntArray, weight: FloatArray, k: int) -> float:
    load = np.stack([np.bincount(plan, weights=w, minlength=k) for w in weight.T], axis=1)
    return float(((load - 1 / k) ** 2).sum())


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
            raise _leak("are tested in two folds", {who}, pseudonym, path.name)
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
    if set().union(*_read_split(files[0])) & set(cohort.ids):
        return cohort.ids
    return tuple(originals.get(p, p) for p in cohort.ids)


def _id_and_fold(path: Path) -> list[tuple[str, int]]:
    if not path.is_file():
        raise PrognoscopeError("no such file of folds", path.name, "use published, site, a number or a path")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or not {"id", "fold"} <= set(rows[0]):
        raise PrognoscopeError("a file of folds without the columns id and fold", path.name, "add them")
    try:
        return [(r["id"].strip(), int(float(r["fold"]))) for r in rows]
    except (TypeError, ValueError) as error:
        raise PrognoscopeError("a fold that is not a number", path.name, "number the folds 0, 1, 2 …") from error


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
        ``"published"``, ``"site"`` (five folds), a number of folds, or a path.
    """
    if spec == "site":
        return site_folds(cohort, 5, seed, endpoint)
    if spec.isdigit():
        return k_folds(cohort.endpoint(endpoint), int(spec), seed)
    if spec in cohort.folds:
        return cohort.folds[spec]
    if spec == "published":
        raise PrognoscopeError("no published folds", f"cohort {cohort.name!r}", "use site, a number or a file of folds")
    return folds_from_file(Path(spec), cohort, original_ids)


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
            raise _leak(f"are tested apart from their site {site}", who, {i: i for i in who}, where)
