"""One row a patient of what the encoders measured by name on slides and scans, so that pages can compare patients.

Features themselves are thousands of rows a patient and are read by the worker alone; this is their mean.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from core.arrays import FloatArray
from core.results.feature_records import EncodedModality, load_record
from core.results.files import MANIFEST, new_folder, read_json, verify_folder, write_json
from core.results.workspace import Workspace, checked_name

NAMED = ("slides", "volumes")
"""Modalities whose features can be compared between patients by name."""
VERSION = 1


@dataclass(frozen=True, eq=False)
class ImageMeans:
    """Of one modality of a cohort: ``names`` of the d features · ``ids`` the n patients · ``values`` (n, d), NaN where
    nothing was there to be measured · ``encoder`` that named them."""

    cohort: str
    modality: str
    encoder: str
    names: tuple[str, ...]
    ids: tuple[str, ...]
    values: FloatArray

    def of(self, patients: tuple[str, ...]) -> FloatArray:
        """(p, d) rows of these patients, NaN for one without images."""
        place = {patient: i for i, patient in enumerate(self.ids)}
        rows = np.full((len(patients), len(self.names)), np.nan)
        for i, patient in enumerate(patients):
            if patient in place:
                rows[i] = self.values[place[patient]]
        return rows


def encoded_images(
    cohort: str, encoders: Mapping[str, Mapping[str, object]], workspace: Workspace
) -> dict[str, EncodedModality]:
    """Modality → how a cohort's images are encoded: as ``encoders`` (a run's) names it, where it was ever."""
    record = load_record(cohort, workspace).encoded_as(encoders)
    return {m: record.modalities[m] for m in NAMED if m in record.modalities and record.modalities[m].keys}


def no_names(modality: str, encoded: EncodedModality) -> str:
    """Why a modality's features cannot be compared by name, in one sentence; "" where they can."""
    if encoded.columns:
        return ""
    what = {"slides": "slides", "volumes": "scans"}.get(modality, modality)
    return (
        f"The {what} were encoded by {encoded.encoder}, whose {encoded.width:,} numbers have no names: they cannot be "
        "listed here one by one. Encoders that measure by name are colour-texture-nuclei and shape-intensity."
    )


def save_image_means(found: ImageMeans, encoded: EncodedModality, workspace: Workspace) -> None:
    """Keep them beside the features; earlier ones of the same features are replaced."""
    with new_folder(_folder(found.cohort, found.modality, encoded, workspace)) as folder:
        facts = {"encoder": found.encoder, "names": list(found.names), "ids": list(found.ids)}
        write_json(folder / "means.json", facts)
        save_file({"values": np.ascontiguousarray(found.values, dtype=np.float64)}, folder / "means.safetensors")


def load_image_means(cohort: str, modality: str, encoded: EncodedModality, workspace: Workspace) -> ImageMeans | None:
    """Those of the very features of ``encoded``; None where they were not made. Raises for altered files."""
    folder = _folder(cohort, modality, encoded, workspace)
    if not (folder / MANIFEST).is_file():
        return None
    verify_folder(folder)
    facts = read_json(folder / "means.json")
    values = load_file(folder / "means.safetensors")["values"]
    return ImageMeans(cohort, modality, str(facts["encoder"]), tuple(facts["names"]), tuple(facts["ids"]), values)


def image_means_stamp(cohort: str, modality: str, encoded: EncodedModality, workspace: Workspace) -> str:
    """Which features they were made of and when; "" where they were not made."""
    manifest = _folder(cohort, modality, encoded, workspace) / MANIFEST
    return f"{manifest.parent.name} {manifest.stat().st_mtime_ns}" if manifest.is_file() else ""


def forget_image_means(cohort: str, workspace: Workspace) -> None:
    """Remove those of a cohort."""
    shutil.rmtree(_home(cohort, workspace), ignore_errors=True)


def _home(cohort: str, workspace: Workspace) -> Path:
    return workspace.features / "means" / checked_name(cohort, "cohort name")


def _folder(cohort: str, modality: str, encoded: EncodedModality, workspace: Workspace) -> Path:
    made_of = json.dumps([VERSION, encoded.how, sorted(encoded.keys.items())], sort_keys=True)
    return _home(cohort, workspace) / f"{modality}-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
