"""The patients an estimate is compared with: some that the model was trained on, with all that the patient has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, IntArray
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.inputs import Inputs

MOST = 50
FEWEST_OF_A_CANCER = 10


@dataclass(frozen=True, eq=False)
class Background:
    """``donors`` modality → (b,) row of ``Inputs`` that each background patient's values are taken from.

    A background patient is one training patient with all of the patient's modalities; where too few have them all,
    ``composed`` of the b are put together of several, each modality from one who has it.
    """

    donors: Mapping[Modality, IntArray]
    composed: int

    def __len__(self) -> int:
        return len(next(iter(self.donors.values())))

    def rows(self, row: int) -> set[int]:
        """Rows of all patients that an explanation of ``row`` reads."""
        return {row, *(int(r) for donors in self.donors.values() for r in donors)}


def draw_background(inputs: Inputs, row: int, trained_on: IntArray, most: int = MOST, seed: int = 0) -> Background:
    """Up to ``most`` background patients for the patient ``row`` of those that the model was trained on.

    Only the modalities the patient has take part: what is missing stays missing on both sides, so that no value is
    given to what is not there. In a cohort of several cancers those of the patient's own are taken when there are ten.

    Raises
    ------
    PrognoscopeError
        When no training patient has one of the patient's modalities.
    """
    random = np.random.default_rng([seed, row])
    held = tuple(m for m in inputs.modalities if bool(inputs.present[m][row]))
    candidates = _same_cancer(inputs, row, trained_on[trained_on != row])
    has = {m: inputs.present[m][candidates] for m in held}
    for modality, present in has.items():
        if not present.any():
            raise PrognoscopeError(
                f"no training patient with {modality.value}", "the background of the explanation",
                "explain a patient with other modalities",
            )  # fmt: skip
    complete: BoolArray = np.logical_and.reduce(list(has.values()))
    order = random.permutation(len(candidates))
    order = np.concatenate([order[complete[order]], order[~complete[order]]])[:most]
    donors = {m: _filled(candidates, order, present, random) for m, present in has.items()}
    return Background(donors, int((~complete[order]).sum()))


def _same_cancer(inputs: Inputs, row: int, candidates: IntArray) -> IntArray:
    if not inputs.groups:
        return candidates
    same = candidates[[inputs.groups[i] == inputs.groups[row] for i in candidates]]
    return same if len(same) >= FEWEST_OF_A_CANCER else candidates


def _filled(candidates: IntArray, order: IntArray, present: BoolArray, random: np.random.Generator) -> IntArray:
    """The candidates in ``order``, those without the modality replaced by a random one who has it."""
    stand_ins = random.choice(candidates[present], len(order))
    return np.asarray(np.where(present[order], candidates[order], stand_ins), dtype=np.int64)
