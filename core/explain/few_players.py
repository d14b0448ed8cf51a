"""KernelSHAP where it is sound: over a handful of players, modalities, gene families or experts, never single genes.

Over thousands of genes its sampling agrees with nothing (rank agreement .2 to .3); over few players it is exact, or
nearly so (Lundberg and Lee, 2017, Theorem 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from core.arrays import BoolArray, FloatArray
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.background import MOST
from core.explain.estimate import PatientEstimate
from core.explain.patient_estimates import PatientEstimates
from core.explain.run_models import RunModels
from core.explain.threads import one_thread
from core.models.network import Muted
from core.models.output import SurvivalOutput, Trace
from core.results.explanation import LEVEL_COLUMNS

Level = Literal["modality", "family", "expert"]
SAMPLES = 256
BACKGROUND: Mapping[Level, int] = {"modality": MOST, "family": 20, "expert": 1}
"""Background patients: an expert is switched off, not exchanged for another's."""
Worth = Callable[[BoolArray], FloatArray]
"""(m, k) coalitions → (m,) mean estimate in percent."""


@dataclass(frozen=True, eq=False)
class Game:
    """Players by name, and what a coalition of them is worth."""

    players: tuple[str, ...]
    worth: Worth


def level_values(
    models: RunModels,
    patient: str,
    month: float,
    level: Level,
    background: int | None = None,
    samples: int = SAMPLES,
    estimates: PatientEstimates | None = None,
) -> pd.DataFrame:
    """``name``, ``value`` (percentage points of S(month)) and ``std`` over the models, largest first.

    An expert that has no name means something in its own model alone: it stands with that model's number, and its
    ``std`` is NaN.

    Modalities and families take the patient's values or those of the background; a gene of several families moves by
    equal parts with each. An expert is in or switched off, and the value of all experts off is what is left without
    them; experts that this patient's tokens never reach get 0. ``estimates`` hands over what is ready of the patient.

    Raises
    ------
    PrognoscopeError
        For experts of a model that has none.
    """
    found: list[pd.DataFrame] = []
    ready = estimates or PatientEstimates(models, patient, month)
    for i in range(len(ready.unseen)):
        _, estimate = ready.of(i, background or BACKGROUND[level])
        game = _experts(estimate, i + 1) if level == "expert" else _inputs(models, estimate, level)
        with one_thread():
            values = kernel_values(game, samples)
        found.append(pd.DataFrame({"name": game.players, "value": values}))
    grouped = pd.concat(found).groupby("name", sort=False)["value"]
    table = grouped.agg(value="mean", std=lambda v: v.std(ddof=0) if len(v) > 1 else np.nan).reset_index()
    return table[list(LEVEL_COLUMNS)].sort_values("value", key=abs, ascending=False, kind="stable", ignore_index=True)


def kernel_values(game: Game, samples: int = SAMPLES, seed: int = 0) -> FloatArray:
    """(k,) shap's KernelExplainer; exact where ``samples`` reach all 2^k coalitions."""
    from shap import KernelExplainer

    count = len(game.players)
    if count == 1:
        ends = game.worth(np.array([[False], [True]]))
        return np.array([ends[1] - ends[0]])
    before = np.random.get_state()  # noqa: NPY002  shap draws from numpy's global stream
    np.random.seed(seed)  # noqa: NPY002
    try:
        explainer = KernelExplainer(lambda z: game.worth(np.asarray(z) > 0.5), np.zeros((1, count)))
        values = explainer.shap_values(np.ones((1, count)), nsamples=samples, l1_reg=False, silent=True)
    finally:
        np.random.set_state(before)  # noqa: NPY002
    return np.asarray(values, dtype=float).reshape(-1)


def _inputs(models: RunModels, estimate: PatientEstimate, level: Level) -> Game:
    """Modalities, or gene families beside the other modalities, against the background."""
    parts: dict[str, Tensor] = {}
    start = 0
    width = estimate.own.shape[1]
    for modality, columns in estimate.widths.items():
        if level == "family" and modality is Modality.GENOMICS:
            parts |= _families(models, width)
        else:
            part = torch.zeros(width)
            part[start : start + columns] = 1.0
            parts[modality.value] = part
        start += columns
    vectors = torch.stack(list(parts.values())) if parts else torch.zeros(0, width)
    bags = estimate.bag_modalities
    count = len(estimate.others)
    numbers = torch.arange(1, count + 1)[:, None]

    def worth(members: BoolArray) -> FloatArray:
        found = []
        for held in torch.from_numpy(np.asarray(members)):
            share = held[: len(vectors)].to(vectors.dtype) @ vectors
            vector = estimate.others + share * (estimate.own - estimate.others)
            found.append(float(estimate.at(vector, numbers * ~held[len(vectors) :][None]).mean()))
        return np.array(found)

    return Game((*parts, *(m.value for m in bags)), worth)


def _families(models: RunModels, width: int) -> dict[str, Tensor]:
    """Family → (g + c) how far each place of the vector moves with it: 1 / the number of the gene's families."""
    members = np.zeros((len(models.inputs.families), width))
    for i, places in enumerate(models.inputs.families.values()):
        members[i, list(places)] = 1.0
    shares = members / np.maximum(members.sum(axis=0), 1.0)
    return {name: torch.from_numpy(s).float() for name, s in zip(models.inputs.families, shares, strict=True)}


def _experts(estimate: PatientEstimate, model: int) -> Game:
    """The patient's own estimate with experts switched off; ``model`` counts the run's models from 1."""
    players = _used_experts(estimate)
    own = torch.zeros(1, len(estimate.bag_modalities), dtype=torch.long)

    def worth(members: BoolArray) -> FloatArray:
        found = []
        for held in np.asarray(members):
            estimate.muted = _muted([p for p, kept in zip(players, held, strict=True) if not kept])
            found.append(float(estimate.at(estimate.own, own)))
        estimate.muted = {}
        return np.array(found)

    given = estimate.memory.network.expert_names()

    def name(level: str, number: int) -> str:
        return given[level][number] if level in given else f"expert {number + 1} of model {model}"

    return Game(tuple(f"{level} · {name(level, number)}" for level, number in players), worth)


def _used_experts(estimate: PatientEstimate) -> list[tuple[str, int]]:
    """Level and number of the routed experts, those of missing modalities' levels left out."""
    routers = estimate.memory.network.capabilities().routers
    if not routers:
        raise PrognoscopeError("a model without experts", "the level of the explanation", "choose modality or family")
    own = torch.zeros(1, len(estimate.bag_modalities), dtype=torch.long)
    with torch.no_grad():
        output: SurvivalOutput = estimate.memory.network(estimate.batch(estimate.own, own), Trace.ROUTING)
    assert output.routing is not None  # noqa: S101  asked for
    held = {m.value for m, there in estimate.present.items() if there}
    players = []
    for level, trace in output.routing.levels.items():
        named = [m.value for m in estimate.present if level.endswith(m.value)]
        if not named or named[0] in held:
            players += [(level, number) for number in range(trace.gate_mass.shape[-1])]
    return players


def _muted(players: list[tuple[str, int]]) -> Muted:
    found: dict[str, tuple[int, ...]] = {}
    for level, number in players:
        found[level] = (*found.get(level, ()), number)
    return found
