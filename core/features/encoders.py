"""Encoders: from a patient's files to a bag of feature vectors. Each has a name, a version and settings.

Features are a function of the files' contents and of those three alone, so they can be kept and found again.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from core.arrays import Float32Array, IntArray
from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError


@dataclass(frozen=True, eq=False)
class Encoded:
    """The features of one patient and modality.

    Parameters
    ----------
    features : (n, d) float32
        One row a patch, phase or sentence. NaN where something was not there to be measured.
    coordinates : (n, 2) int64 or None
        Slides: x, y of the patch's corner in level-0 pixels. Reports: first and last character of the sentence.
    sources : (n,) int64 or None
        Which of the files (in the order given, masks left out) a row is from.
    labels : tuple of n str or None
        Words for the rows (the phase of a scan).
    columns : tuple of d str
        Names of the features; empty where they have none.
    warnings : tuple of str
        What a reader of the features should know. Never an id, a path or text of a report.
    facts : mapping
        Plain numbers and words: ``side`` of a patch in level-0 pixels, ``um_per_px``, ``mpp_source`` …
    """

    features: Float32Array
    coordinates: IntArray | None = None
    sources: IntArray | None = None
    labels: tuple[str, ...] | None = None
    columns: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or not len(self.features) or np.isinf(self.features).any():
            raise PrognoscopeError(
                f"features of shape {self.features.shape}, or with infinite values", "an encoder's result",
                "leave this file out, or choose another encoder",
            )  # fmt: skip


class Encoder(Protocol):
    """A frozen dataclass whose fields are its settings. ``reads`` are the kinds of files it takes."""

    name: ClassVar[str]
    version: ClassVar[int]
    modality: ClassVar[Modality]
    reads: ClassVar[frozenset[MediaKind]]

    def encode(self, files: tuple[MediaFile, ...]) -> Encoded:
        """Encode one patient's files of this modality; raises :class:`PrognoscopeError` when none can be read."""
        ...


_CLASSES: Mapping[str, str] = {
    "colour-texture-nuclei": "core.features.slide_encoder:ColourTextureNuclei",
    "resnet-50": "core.features.slide_vision:ResNet50",
    "phikon-v2": "core.features.slide_vision:PhikonV2",
    "transformers-vision": "core.features.slide_vision:AnyVision",
    "uni": "core.features.slide_vision:Uni",
    "imported": "core.features.imported:ImportedFeatures",
    "shape-intensity": "core.features.volume_encoder:ShapeIntensity",
    "monai-small": "core.features.volume_network:SmallNetwork",
    "monai-resnet": "core.features.volume_resnet:PhaseResNet",
    "lexicon": "core.features.report_encoder:LexiconEncoder",
    "report-parts": "core.features.parts_encoder:ReportParts",
}
"""Encoder → its class. Only the chosen one is imported: torch and MONAI take seconds."""

DEFAULTS: Mapping[Modality, str] = {
    Modality.SLIDES: "colour-texture-nuclei",
    Modality.VOLUMES: "shape-intensity",
    Modality.REPORTS: "lexicon",
}
"""What a modality is encoded with when nobody says."""

PLACE, PACE = {"defines": "nothing", "kept": True}, {"defines": "nothing", "kept": False}
"""Marks of settings that change no feature: where a model lies (kept with the features, so that a new patient's can be
made), and how fast it works (not kept)."""


def encoder_names() -> tuple[str, ...]:
    """Every name :func:`make_encoder` knows."""
    return tuple(_CLASSES)


def encoder_class(name: str) -> Any:
    """The class of the encoder called ``name``; nothing is loaded or looked for."""
    if name not in _CLASSES:
        raise PrognoscopeError(f"no encoder named {name!r}", "the encoders", f"use one of {', '.join(_CLASSES)}")
    module, _, kind = _CLASSES[name].partition(":")
    return getattr(importlib.import_module(module), kind)


def make_encoder(name: str, settings: Mapping[str, Any] | None = None) -> Encoder:
    """The encoder called ``name`` with its settings; an unknown name, or a setting it cannot have, is an error."""
    kind = encoder_class(name)
    known = {f.name: f.default for f in fields(kind)}
    for key, value in (settings or {}).items():
        if key not in known:
            raise PrognoscopeError(
                f"unknown setting {key!r}", f"encoder {name!r}", f"use {', '.join(known) or 'none: it has no settings'}"
            )
        wanted = type(known[key])
        if not isinstance(value, wanted | int if wanted is float else wanted) or (wanted is not bool and value is True):
            raise PrognoscopeError(f"{key} = {value!r}", f"encoder {name!r}", f"give a value like {known[key]!r}")
    encoder: Encoder = kind(**(settings or {}))
    return encoder


def settings_of(encoder: Encoder) -> dict[str, Any]:
    """The settings that are kept with the features an encoder makes, as plain values."""
    return _settings(encoder, lambda marks: bool(marks.get("kept", True)))


def defining_settings(encoder: Encoder) -> dict[str, Any]:
    """The settings that decide the features."""
    return _settings(encoder, lambda marks: marks.get("defines") != "nothing")


def all_settings(encoder: Encoder) -> dict[str, Any]:
    """Every setting, to make the same encoder in another process."""
    return _settings(encoder, lambda marks: True)


def _settings(encoder: Encoder, chosen: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    plain: dict[str, Any] = asdict(encoder)  # type: ignore[call-overload]
    return {f.name: plain[f.name] for f in fields(encoder) if chosen(f.metadata)}  # type: ignore[arg-type]
