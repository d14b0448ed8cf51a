"""Reports → one row a sentence that names a concept of the lexicon: +1 affirmed, ½ doubted, −1 denied, 0 not named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.arrays import Float32Array
from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import Encoded
from core.features.lexicon import SCORES, findings, largest_size_cm
from core.features.lexicon_terms import CONCEPTS, Organ
from core.media.reports import Span, read_report, sentences

COLUMNS = (
    *(c.name for c in CONCEPTS),
    *("about the liver", "about the tumour", "largest size, log cm", "place in the report", "denied findings"),
)


@dataclass(frozen=True)
class LexiconEncoder:
    """The lexicon's concepts sentence by sentence. Sentences that name none are left out: most of a report."""

    name: ClassVar[str] = "lexicon"
    version: ClassVar[int] = 1
    modality: ClassVar[Modality] = Modality.REPORTS
    reads: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.REPORT})

    def encode(self, files: tuple[MediaFile, ...]) -> Encoded:
        """The sentences of all of a patient's reports; coordinates are first and last character in the report."""
        rows: list[Float32Array] = []
        places: list[tuple[int, int]] = []
        sources: list[int] = []
        failures: list[str] = []
        readable = 0
        for number, file in enumerate(files):
            try:
                text = read_report(file.path)
            except PrognoscopeError as error:
                failures.append(error.found)
                continue
            readable += 1
            spans = sentences(text)
            for i, span in enumerate(spans):
                row = sentence_features(span, i / max(1, len(spans) - 1))
                if row is not None:
                    rows.append(row)
                    places.append((span.start, span.end))
                    sources.append(number)
        if not readable:
            raise PrognoscopeError("; ".join(dict.fromkeys(failures)), "the reports of a patient", "see each report")
        warnings = [f"{len(failures)} of {len(files)} reports left out"] if failures else []
        if not rows:  # a report that says nothing the lexicon knows is an answer too
            warnings.append("no sentence names a concept of the lexicon")
            rows, places, sources = [np.zeros(len(COLUMNS), dtype=np.float32)], [(0, 0)], [0]
        return Encoded(
            np.stack(rows),
            np.array(places, dtype=np.int64),
            np.array(sources, dtype=np.int64),
            None,
            COLUMNS,
            tuple(warnings),
            {"rows": "sentences"},
        )


def sentence_features(span: Span, place: float) -> Float32Array | None:
    """(len(COLUMNS),) numbers of a sentence, or None when it names no concept.

    A concept named twice counts as affirmed once it is affirmed anywhere in the sentence, then as doubted.
    """
    found = findings(span.text)
    if not found:
        return None
    row = np.zeros(len(COLUMNS), dtype=np.float32)
    for finding in found:
        score = SCORES[finding.assertion]
        if row[finding.concept] == 0 or score > row[finding.concept]:
            row[finding.concept] = score
    organs = {CONCEPTS[f.concept].organ for f in found}
    first = len(CONCEPTS)
    row[first] = Organ.LIVER in organs
    row[first + 1] = Organ.TUMOUR in organs
    row[first + 2] = np.log1p(largest_size_cm(span.text))
    row[first + 3] = place
    row[first + 4] = np.count_nonzero(row[:first] < 0)
    return row
