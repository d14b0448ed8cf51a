"""Published split files: one file a fold, with a ``train`` and a ``val`` column of unequal length."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.arrays import IntArray
from core.cohort.importers.narrow_table import read_narrow
from core.cohort.wording import plural
from core.errors import PrognoscopeError


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
        train, test = read_split(path)
        if train & test:
            raise leak("both train and are tested", train & test, names, path.name)
        for original in sorted(test):
            if original not in row:
                strangers.add(original)
            elif fold[row[original]] >= 0:
                raise leak("are tested in two folds", {original}, names, path.name)
            else:
                fold[row[original]] = k
        strangers |= {i for i in train if i not in row}
    warnings = []
    if strangers:
        warnings.append(
            f"{plural(len(strangers), 'patient')} of the published folds not in the cohort: left out of them."
        )
    if (fold < 0).any():
        warnings.append(f"{plural(int((fold < 0).sum()), 'patient')} in none of the published folds.")
    if (fold < 0).all():
        raise PrognoscopeError("folds that name no patient of this cohort", folder.name, "give the folds of this study")
    return fold, warnings


def read_split(path: Path) -> tuple[set[str], set[str]]:
    """Ids that train and ids that are tested in one split file."""
    table = read_narrow(path)
    held = "val" if "val" in table else "test"
    if not len(table) or "train" not in table or held not in table:
        raise PrognoscopeError("a split without train and val columns", path.name, "check the file")
    train, tested = ({cell.strip() for cell in table[c]} - {"", "nan"} for c in ("train", held))
    return train, tested


def leak(what: str, who: set[str], names: Mapping[str, str] | None, where: str) -> PrognoscopeError:
    """The error for a plan that leaks; the patients are named by pseudonym where those are known."""
    named = sorted(names[i] for i in who if i in names) if names else []
    listed = f" ({', '.join(named[:10])}{', …' if len(named) > 10 else ''})" if named else ""
    return PrognoscopeError(f"{plural(len(who), 'patient')}{listed} who {what}", where, "correct the split files")
