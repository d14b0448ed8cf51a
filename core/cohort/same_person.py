"""Two rows of one person: the leak that a plan of folds cannot see, because its patients have two pseudonyms."""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.cohort.cohort import Cohort
from core.cohort.folds import Folds
from core.cohort.split_files import leak

_TCGA = re.compile(r"(tcga-[0-9a-z]{2}-[0-9a-z]{4})(-.*)?")


def _person(original: str) -> str:
    """What two rows of one person share: the id without its case and blanks; of a TCGA barcode, the patient's part."""
    plain = original.strip().lower()
    barcode = _TCGA.fullmatch(plain)
    return barcode[1] if barcode else plain


def check_same_person(folds: Folds, cohort: Cohort, original_ids: Mapping[str, str]) -> int:
    """Refuse a plan that puts two rows of one person into different folds; returns how many persons were looked at.

    Raises
    ------
    PrognoscopeError
        With the pseudonyms of the rows; the original ids are never named.
    """
    seen: dict[str, list[int]] = {}
    for row, pseudonym in enumerate(cohort.ids):
        if folds.test_fold[row] >= 0 and pseudonym in original_ids:
            seen.setdefault(_person(original_ids[pseudonym]), []).append(row)
    apart = [rows for rows in seen.values() if len({int(folds.test_fold[r]) for r in rows}) > 1]
    if apart:
        who = {cohort.ids[r] for rows in apart for r in rows}
        raise leak("are rows of the same person in different folds", who, {i: i for i in who}, f"folds {folds.name!r}")
    return len(seen)
