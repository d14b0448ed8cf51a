"""Neural survival models by name: a configuration class and a builder each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.preparation import InputShape
from core.models.biofact.config import BioFactConfig
from core.models.biofact.model import BioFact
from core.models.hdmoe.config import HDMoEConfig
from core.models.hdmoe.model import HDMoE
from core.models.mice.config import MICEConfig
from core.models.mice.model import MICE
from core.models.network import SurvivalNetwork
from core.models.settings import check_settings
from core.models.snn import SNN, SNNConfig


@dataclass(frozen=True)
class ModelSpec:
    """One registered model: words for a page, its configuration class, how it is built, the settings of the training
    in which it differs from :class:`core.training.config.TrainingConfig`, and the encoders it cannot do without
    (modality → name)."""

    name: str
    title: str
    config: type[Any]
    build: Callable[[InputShape, tuple[Modality, ...], int, Any], SurvivalNetwork]
    training: Mapping[str, Any] = field(default_factory=dict)
    encoders: Mapping[Modality, str] = field(default_factory=dict)


MODELS: Mapping[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec("hdmoe", "HDMoE", HDMoEConfig, HDMoE),
        ModelSpec(
            "biofact",
            "BioFact-MoE",
            BioFactConfig,
            BioFact,
            {"epochs": 60, "pretrain_epochs": 20},
            {Modality.REPORTS: "report-parts"},
        ),
        ModelSpec("mice", "MICE", MICEConfig, MICE),
        ModelSpec("snn", "Self-normalising network", SNNConfig, SNN),
    )
}


def model_spec(name: str) -> ModelSpec:
    """The model called ``name``; raises with the known names otherwise."""
    if name not in MODELS:
        raise PrognoscopeError(f"no model named {name!r}", "the registry", f"use one of {', '.join(MODELS)}")
    return MODELS[name]


def make_config(spec: ModelSpec, settings: Mapping[str, Any]) -> Any:
    """A configuration from plain settings; one that is unknown or of the wrong kind is named."""
    check_settings(spec.config, settings, f"the configuration of {spec.title}")
    return spec.config(**settings)
