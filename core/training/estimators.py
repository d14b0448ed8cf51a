"""Models and baselines by the names of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import PrognoscopeError
from core.models.baselines.cox import ClinicalCox, PenalisedCox
from core.models.baselines.forest import SurvivalForest
from core.models.baselines.late_fusion import LateFusion
from core.models.baselines.null import KaplanMeierNull
from core.models.estimator import Estimator
from core.models.registry import MODELS, make_config
from core.models.settings import check_settings
from core.training.config import AcceleratedTraining, TrainingConfig, training_config
from core.training.neural import NeuralEstimator

BASELINES = ("kaplan-meier", "cox-clinical", "cox-penalised", "forest", "late-fusion")


@dataclass(frozen=True)
class EstimatorSpec:
    """A name with the settings of its model and of its training (neural models only)."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    device: str = "cpu"


def estimator_names() -> tuple[str, ...]:
    """Every name :func:`make_estimator` knows."""
    return (*MODELS, *BASELINES)


def make_estimator(spec: EstimatorSpec) -> Estimator:
    """The estimator called ``spec.name``; raises for settings it cannot have, before anything is fitted."""
    if spec.name in MODELS:
        make_config(MODELS[spec.name], spec.settings)
        return NeuralEstimator(spec.name, dict(spec.settings), spec.training, device=spec.device)
    if spec.training.protocol == "upstream":
        raise PrognoscopeError(
            f"{spec.name} has no epochs to choose from",
            "--protocol upstream",
            f"use it with {', '.join(MODELS)}",
        )
    if spec.name == "late-fusion":
        make_config(MODELS["snn"], spec.settings)
        return LateFusion(NeuralEstimator("snn", dict(spec.settings), spec.training, device=spec.device))
    simple = {e.name: e for e in (KaplanMeierNull(), ClinicalCox(), PenalisedCox(), SurvivalForest())}
    if spec.name not in simple:
        raise PrognoscopeError(
            f"no model named {spec.name!r}", "the registry", f"use one of {', '.join(estimator_names())}"
        )
    return _configured(simple[spec.name], spec.settings)


def _configured(estimator: Any, settings: Mapping[str, Any]) -> Estimator:
    check_settings(type(estimator), settings, f"the configuration of {estimator.name}")
    configured: Estimator = replace(estimator, **settings)
    return configured


def training_from(settings: Mapping[str, Any], name: str = "") -> tuple[dict[str, Any], TrainingConfig]:
    """Split plain settings into those of the training (``training.epochs``) and those of the model ``name``, whose
    own defaults of the training are used where nothing was given."""
    training = {k.removeprefix("training."): v for k, v in settings.items() if k.startswith("training.")}
    check_settings(AcceleratedTraining, training, "the settings of the training")
    model = {k: v for k, v in settings.items() if not k.startswith("training.")}
    defaults = MODELS[name].training if name in MODELS else {}
    return model, training_config({**defaults, **training})
