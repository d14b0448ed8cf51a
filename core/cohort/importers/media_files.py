"""What a medium is, told by its ending and the folder it lies in, and the word a page may call it by."""

from __future__ import annotations

import re
from pathlib import Path

from core.cohort.media_index import MediaKind
from core.cohort.modality import Modality

SLIDES = (".svs", ".tif", ".tiff", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide")
IMAGES = (".png", ".jpg", ".jpeg")
FEATURES = (".h5", ".hdf5", ".pt", ".pth")
VOLUMES = (".nii", ".nii.gz")
REPORTS = (".txt",)
IGNORED = ("thumbs.db", "desktop.ini")
FOLDERS = ("slides", "features", "volumes", "masks", "reports")
"""Names of the folders that hold media, in the order in which they are read."""
_MASK = frozenset({"mask", "seg", "segmentation", "label", "labels"})
_COVERS = {
    "liver": "liver", "tumor": "tumour", "tumour": "tumour", "lesion": "tumour", "lesions": "tumour", "hcc": "tumour",
    "region": "region", "regions": "region",
}  # fmt: skip


def ending(path: Path) -> str:
    """The suffix in lower case; ``.nii.gz`` is one."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix


def stem(path: Path) -> str:
    """The name without its ending; a folder's name as it is."""
    return path.name if path.is_dir() else path.name[: len(path.name) - len(ending(path))]


def is_hidden(path: Path) -> bool:
    """True for what an operating system leaves behind."""
    return path.name.startswith(".") or path.name.lower() in IGNORED


def kind_of(path: Path, folder: str) -> tuple[Modality, MediaKind] | None:
    """Modality and kind of a file in a folder of :data:`FOLDERS`, or None when it is no medium.

    A DICOM series is asked for by its folder, which counts as a volume.
    """
    suffix = ending(path)
    if folder == "volumes" and path.is_dir():
        return Modality.VOLUMES, MediaKind.VOLUME
    if folder in ("volumes", "masks") and suffix in VOLUMES:
        masks = folder == "masks" or bool(_MASK & set(_tokens(stem(path))))
        return Modality.VOLUMES, MediaKind.MASK if masks else MediaKind.VOLUME
    if folder == "masks" and suffix in (*SLIDES, *IMAGES):
        return Modality.SLIDES, MediaKind.MASK
    if folder in ("slides", "features") and suffix in FEATURES:
        return Modality.SLIDES, MediaKind.SLIDE_FEATURES
    if folder == "slides" and suffix in (*SLIDES, *IMAGES):
        return Modality.SLIDES, MediaKind.SLIDE
    if folder == "reports" and suffix in REPORTS:
        return Modality.REPORTS, MediaKind.REPORT
    return None


def label_of(path: Path, kind: MediaKind, patient: str) -> str:
    """The word for a medium: a volume's phase, what a mask covers, a report's kind; empty for slides.

    It comes from the file's name without the patient's id. A name with four digits in a row, or one that still
    repeats the id, could be a date or a number of the patient: it gives no word.
    """
    if kind in (MediaKind.SLIDE, MediaKind.SLIDE_FEATURES):
        return ""
    name = stem(path)
    after = name[len(patient) :]
    if name.lower().startswith(patient.lower()) and not after[:1].isalnum():
        name = after
    return covered(name) if kind is MediaKind.MASK else safe_label(name, patient)


def covered(name: str) -> str:
    """What a mask covers by its name: ``liver``, ``tumour``, or ``region`` when it does not say."""
    return next((_COVERS[t] for t in _tokens(name) if t in _COVERS), "region")


def safe_label(words: str, patient: str) -> str:
    """``"portal-venous"`` for ``"Portal venous"``; empty where the words could tell who the patient is."""
    label = "-".join(_tokens(words))[:32].strip("-")
    own = "-".join(_tokens(patient))
    names_patient = label == own or (len(own) > 3 and own in label)
    return "" if names_patient or re.search(r"\d{4}", label) else label


def _tokens(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name.lower())
