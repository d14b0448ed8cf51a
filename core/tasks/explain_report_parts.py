"""What each sentence of a patient's encoded reports is about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.cohort.media_index import MediaKind, load_media
from core.cohort.modality import Modality
from core.features.encoders import Encoded
from core.features.report_parts import part_of
from core.media.reports import read_report
from core.results.workspace import Workspace

REPORTS = Modality.REPORTS


def parts_of(encoded: Encoded, texts: Sequence[str]) -> tuple[str, ...]:
    """As the encoder found it, else by the lexicon from the reports' ``texts``."""
    if encoded.labels is not None:
        return encoded.labels
    assert encoded.coordinates is not None  # noqa: S101  encoders of reports give places
    reports = np.zeros(len(encoded.coordinates), dtype=np.int64) if encoded.sources is None else encoded.sources
    return tuple(
        part_of(texts[int(number)][start:end]).value
        for number, (start, end) in zip(reports, encoded.coordinates, strict=True)
    )


class ReportTexts(dict[str, tuple[str, ...]]):
    """Patient → the texts of their reports, read when they are asked for."""

    def __init__(self, cohort: str, workspace: Workspace) -> None:
        super().__init__()
        self._index = load_media(cohort, workspace)

    def __missing__(self, patient: str) -> tuple[str, ...]:
        files = self._index.of(patient, REPORTS, MediaKind.REPORT)
        self[patient] = tuple(read_report(f.path) for f in files)
        return self[patient]
