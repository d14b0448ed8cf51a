"""A fold plan: which patients are tested in which outer fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import IntArray


@dataclass(frozen=True, eq=False)
class Folds:
    """A partition of patients into ``k`` test folds; everybody else assigned trains.

    Parameters
    ----------
    name : str
        ``"published"``, ``"site"``, ``"5-fold"`` or the name of the split file.
    test_fold : (n,) int array
        The fold in which the patient is tested, row for row with the patients table; -1 = in no fold
        (such a patient neither trains nor is tested).
    tested : int
        Only the first so many folds are ever tested (a quick look with training sets of full size); 0 = all of them.
    """

    name: str
    test_fold: IntArray
    tested: int = 0

    @property
    def k(self) -> int:
        """Number of folds that are tested."""
        planned = int(self.test_fold.max()) + 1 if len(self.test_fold) else 0
        return min(planned, self.tested) if self.tested else planned

    def test(self, fold: int) -> IntArray:
        """Row numbers tested in ``fold``."""
        return np.flatnonzero(self.test_fold == fold)

    def train(self, fold: int) -> IntArray:
        """Row numbers that train in ``fold``."""
        return np.flatnonzero((self.test_fold != fold) & (self.test_fold >= 0))
