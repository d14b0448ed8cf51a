"""Folds a reader brought: checked, then kept under pseudonyms so that a training can name them."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from core.cohort.cohort import Cohort
from core.cohort.same_person import check_same_person
from core.cohort.splits import folds_from_file
from core.errors import PrognoscopeError
from core.results.workspace import Workspace, checked_name


def folds_folder(cohort: str, workspace: Workspace) -> Path:
    """Where the folds brought for a cohort are kept."""
    return workspace.root / "folds" / checked_name(cohort, "cohort name")


def own_folds(cohort: str, workspace: Workspace) -> tuple[str, ...]:
    """Names of the folds brought for a cohort."""
    return tuple(sorted(p.stem for p in folds_folder(cohort, workspace).glob("*.csv") if not p.name.startswith(".")))


def own_folds_path(name: str, cohort: str, workspace: Workspace) -> Path:
    """The file of these folds, with the columns ``id`` (pseudonym) and ``fold``; raises when there is none."""
    path = folds_folder(cohort, workspace) / f"{checked_name(name, 'name of folds')}.csv"
    if not path.is_file():
        raise PrognoscopeError(f"no folds named {name!r}", f"cohort {cohort!r}", "bring the file again")
    return path


def keep_folds(
    files: Mapping[str, bytes], cohort: Cohort, original_ids: Mapping[str, str], workspace: Workspace
) -> str:
    """Check brought folds and keep them; returns their name.

    Parameters
    ----------
    files : file name → bytes
        One CSV with the columns ``id`` and ``fold``, or ``splits_0.csv``, ``splits_1.csv`` … with ``train`` and
        ``val``. Ids are pseudonyms, or original ids where ``original_ids`` (pseudonym → original) is given.

    Raises
    ------
    PrognoscopeError
        When the folds leak (the pseudonyms are named), name nobody of the cohort, or cannot be read.
    """
    several = any(re.fullmatch(r"splits_\d+\.csv", name) for name in files)
    with tempfile.TemporaryDirectory(prefix="prognoscope-folds-") as scratch:
        folder = Path(scratch) / "folds"
        folder.mkdir(mode=0o700)
        for number, (name, content) in enumerate(files.items()):
            (folder / (Path(name).name if several else f"{number}.csv")).write_bytes(content)
        try:
            folds = folds_from_file(folder if several else folder / "0.csv", cohort, original_ids)
        except UnicodeDecodeError as error:
            raise PrognoscopeError("folds that are no text", "the file you brought", "save it as CSV, UTF-8") from error
    check_same_person(folds, cohort, original_ids)
    table = pd.DataFrame({"id": cohort.ids, "fold": folds.test_fold})
    text = table[table["fold"] >= 0].to_csv(index=False)
    name = f"own-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    target = folds_folder(cohort.name, workspace) / f"{name}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)
    return name


def forget_folds(cohort: str, workspace: Workspace) -> None:
    """Remove the folds brought for a cohort."""
    shutil.rmtree(folds_folder(cohort, workspace), ignore_errors=True)
