"""Finished folds on disk, so that a training that was interrupted goes on where it stopped.

A unit is one fold and seed: its predictions, as safetensors, written whole or not at all. Units of one training lie in
one folder; whoever names the folder sees to it that the training is the same (:func:`core.tasks.train.train`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import PrognoscopeError
from core.models.estimator import Estimates, State
from core.training.state_files import read_state, write_state

if TYPE_CHECKING:
    from core.training.cross_validation import FoldResult


def unit_name(fold: int, seed: int) -> str:
    """File name of a fold and seed, of its unit and of its checkpoint alike."""
    return f"fold{fold}-seed{seed}.safetensors"


def save_unit(result: FoldResult, folder: Path) -> None:
    """Store one finished fold."""
    arrays = {"test": result.test, "train_risk": result.train_risk}
    for name, estimates in {"": result.estimates, **{f"{k}.": v for k, v in result.permuted.items()}}.items():
        arrays |= {f"{name}risk": estimates.risk, f"{name}survival": estimates.survival}
    settings = {"fold": result.fold, "seed": result.seed, "permuted": list(result.permuted)}
    write_state(State(settings, arrays), folder / unit_name(result.fold, result.seed))


def load_unit(fold: int, seed: int, folder: Path) -> FoldResult | None:
    """The finished fold, or None when it has to be fitted (again: a unit that cannot be read is no unit)."""
    from core.training.cross_validation import FoldResult

    path = folder / unit_name(fold, seed)
    if not path.is_file():
        return None
    try:
        state = read_state(path)
    except PrognoscopeError:
        path.unlink()
        return None
    arrays = {name: np.array(array) for name, array in state.arrays.items()}
    return FoldResult(
        int(state.settings["fold"]),
        int(state.settings["seed"]),
        arrays["test"],
        Estimates(arrays["risk"], arrays["survival"]),
        arrays["train_risk"],
        {k: Estimates(arrays[f"{k}.risk"], arrays[f"{k}.survival"]) for k in state.settings["permuted"]},
    )
