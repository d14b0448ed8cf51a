"""What the encoders measured by name on the cohort's slides and scans: read, offered as a job, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.results.image_means import ImageMeans, encoded_images, image_means_stamp, load_image_means, no_names
from core.results.workspace import Workspace
from pages.widgets.data import View
from pages.widgets.html import note
from pages.widgets.job_panel import Wanted, job_panel


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """``means`` what is there · ``made`` tells one state of them from another · ``missing`` modalities that are not
    summarised yet · ``reasons`` why others cannot be compared by name."""

    means: tuple[ImageMeans, ...]
    made: str
    missing: tuple[str, ...]
    reasons: tuple[str, ...]


def image_features(view: View) -> ImageFeatures:
    """Of the cohort, in the form that the chosen run was trained on."""
    encoders = {} if view.run is None else view.run.config.get("encoders", {})
    means, stamps, missing, reasons = [], [], [], []
    for modality, encoded in encoded_images(view.cohort.name, encoders, view.workspace).items():
        reason = no_names(modality, encoded)
        stamp = image_means_stamp(view.cohort.name, modality, encoded, view.workspace)
        if reason:
            reasons.append(reason)
        elif not stamp:
            missing.append(modality)
        else:
            found = _read(str(view.workspace.root), view.cohort.name, modality, stamp, encoded)
            means += [] if found is None else [found]
            stamps.append(stamp)
    return ImageFeatures(tuple(means), " ".join(stamps), tuple(missing), tuple(reasons))


@st.cache_resource(scope="session", show_spinner=False, max_entries=4)
def _read(root: str, cohort: str, modality: str, stamp: str, _encoded: object) -> ImageMeans | None:
    return load_image_means(cohort, modality, _encoded, Workspace(Path(root)))  # type: ignore[arg-type]


def images_panel(view: View, found: ImageFeatures) -> None:
    """What of the images is not in the comparison, and the way to it."""
    for means in found.means:
        what = "patches of the slides" if means.modality == "slides" else "scans of a phase"
        note(f"{means.modality.capitalize()}: the mean over a patient’s {what}, as {means.encoder} measures them "
             f"({len(means.ids):,} patients, {len(means.names):,} features).")  # fmt: skip
    for reason in found.reasons:
        note(reason)
    if not found.missing:
        return
    job_panel(
        Wanted(
            "image-means", {"cohort": view.cohort.name, "run": "" if view.run is None else view.run.id},
            f"Summarising the images of {view.cohort.title}", "Add image features",
            "Slides and scans are not in this comparison yet",
            ("Colour, texture and nuclei of the slides, intensity and shape in the scans: one row a patient is made "
             "once from what was encoded.",),
        ),
        view.workspace,
    )  # fmt: skip
