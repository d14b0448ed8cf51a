"""Clinical words of different sources made one: sex, stage, grade, and the roles of liver columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from core.cohort.importers.values import as_objects, is_missing

_SEX = {"female": "female", "f": "female", "male": "male", "m": "male"}
_STAGE = re.compile(r"(?:stage\s*)?(0|iv|i{1,3})(?:[abc]\d?)?", re.IGNORECASE)
_GRADE = re.compile(r"(?:grade\s*)?g?([1-4])", re.IGNORECASE)


def sex(cells: Sequence[str]) -> pd.Series:
    """``"female"``, ``"male"`` or None."""
    return as_objects([_SEX.get(c.strip().lower()) for c in cells])


def stage(cells: Sequence[str]) -> pd.Series:
    """Main stage ``"0"`` to ``"IV"``: ``"Stage IIIB"`` and ``"stage iii"`` are both ``"III"``; None where unknown."""
    found = []
    for cell in cells:
        match = _STAGE.fullmatch(cell.strip())
        found.append(match[1].upper() if match else None)
    return as_objects(found)


def grade(cells: Sequence[str]) -> pd.Series:
    """``"G1"`` to ``"G4"``; None for anything else, GX among it."""
    matches = [None if is_missing(c) else _GRADE.fullmatch(c.strip()) for c in cells]
    return as_objects([f"G{m[1]}" if m else None for m in matches])
