"""The kinds of data a patient may bring. Any may be missing for any patient."""

from __future__ import annotations

from enum import StrEnum


class Modality(StrEnum):
    """One kind of input. The value is the word used in files, on the command line and on pages."""

    SLIDES = "slides"
    VOLUMES = "volumes"
    GENOMICS = "genomics"
    REPORTS = "reports"
    CLINICAL = "clinical"


ENCODED_MODALITIES = (Modality.SLIDES, Modality.VOLUMES, Modality.REPORTS)
"""Those that are files: an encoder turns them into features before a model can read them."""
