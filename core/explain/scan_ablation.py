"""What each region of a scan does to S(month), for encoders that cannot be differentiated: the encoder is run again.

A region is taken away by making it average liver (:class:`core.explain.scan_regions.Replacing`). Two answers:

* Shapley values by sampled orders (Castro et al. 2009; captum's ShapleyValueSampling): the regions share out the whole
  difference between the scan and one whose liver is average throughout, and add up to it.
* The effect of one region alone (captum's FeatureAblation): the estimate with it minus the estimate without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.arrays import BoolArray, FloatArray
from core.explain.bag_survival import BagSurvival
from core.explain.scan_regions import Regions, Replacing
from core.features.scan import Scan
from core.features.volume_encoder import ShapeIntensity

Progress = Callable[[float, str], None]
MOST_SECONDS = 30.0
MOST_ORDERS = 12
_SEED = 0


@dataclass(frozen=True, eq=False)
class RegionEffects:
    """Percentage points of S(month), positive where the region raises it.

    ``shared`` (k,) Shapley values · ``alone`` (k,) effect of replacing one region · ``error`` (k,) half the difference
    of two independent halves of the sampled orders · ``signs`` (k,) share of the models that agree with the sign of
    ``shared`` · ``prediction``, ``baseline`` S in percent of the scan and of average liver · ``tumour`` percentage
    points of all tumour regions together, None without any · ``orders`` sampled.
    """

    shared: FloatArray
    alone: FloatArray
    error: FloatArray
    signs: FloatArray
    prediction: float
    baseline: float
    tumour: float | None
    orders: int

    @property
    def residual(self) -> float:
        """prediction − baseline − sum of ``shared``."""
        return self.prediction - self.baseline - float(self.shared.sum())


def region_effects(
    encoder: ShapeIntensity, scan: Scan, regions: Regions, survival: BagSurvival, progress: Progress
) -> RegionEffects:
    """Ask the encoder and the models about the scan without some of its regions, within about half a minute."""
    from captum.attr import FeatureAblation, ShapleyValueSampling

    game = _Game(encoder, Replacing(scan, regions), survival)
    everything = torch.ones(1, regions.count)
    nothing = torch.zeros(1, regions.count)
    started = time.perf_counter()
    prediction, baseline = game(everything), game(nothing)
    each = (time.perf_counter() - started) / 2
    alone = FeatureAblation(game.of(None)).attribute(everything, baselines=nothing, perturbations_per_eval=1)
    progress(0.2, "one region at a time")
    half = int(np.clip((MOST_SECONDS / each / regions.count - 1) / 2, 1, MOST_ORDERS // 2))
    halves = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        for part in range(2):
            halves.append(_per_model(ShapleyValueSampling, game, everything, nothing, half))
            progress(0.2 + 0.4 * (part + 1), f"regions in {half * (part + 1)} sampled orders")
    both = (halves[0] + halves[1]) / 2  # (models, k)
    shared = both.mean(axis=0)
    agree = (np.sign(both) == np.sign(shared)).mean(axis=0)
    return RegionEffects(
        shared, alone[0].double().numpy(), np.abs(halves[0] - halves[1]).mean(axis=0) / 2, agree,
        float(prediction.mean()), float(baseline.mean()), _together(game, regions.tumour, float(prediction.mean())),
        2 * half,
    )  # fmt: skip


class _Game:
    """(b, k) regions kept (1) or replaced (0) → (b, models) S in percent; asked once for the same regions."""

    def __init__(self, encoder: ShapeIntensity, replacing: Replacing, survival: BagSurvival) -> None:
        self.encoder, self.replacing, self.survival = encoder, replacing, survival
        self.known: dict[bytes, Tensor] = {}

    def __call__(self, kept: Tensor) -> Tensor:
        return torch.stack([self._one(row.numpy() > 0.5) for row in kept])

    def of(self, model: int | None) -> Callable[[Tensor], Tensor]:
        """The answer of one model, or the mean of all (b,)."""
        return lambda kept: self(kept).mean(dim=1) if model is None else self(kept)[:, model]

    def _one(self, kept: BoolArray) -> Tensor:
        key = kept.tobytes()
        if key not in self.known:
            features = self.encoder.encode_scan(self.replacing.without(kept)).features
            with torch.no_grad():
                self.known[key] = self.survival(torch.from_numpy(features)[None])[0].double()
        return self.known[key]


def _per_model(method: type, game: _Game, everything: Tensor, nothing: Tensor, orders: int) -> FloatArray:
    """(models, k) Shapley values over the same sampled orders for each model: the scan is encoded once for all."""
    state = torch.get_rng_state()
    rows = []
    for model in range(len(game.survival.fitted)):
        torch.set_rng_state(state)
        found = method(game.of(model)).attribute(
            everything, baselines=nothing, n_samples=orders, perturbations_per_eval=1
        )
        rows.append(found[0].double().numpy())
    return np.stack(rows)


def _together(game: _Game, tumour: BoolArray, prediction: float) -> float | None:
    if not tumour.any():
        return None
    without = torch.from_numpy(~tumour).float()[None]
    return prediction - float(game(without).mean())
