"""Written sentences of reports, labelled by hand, against what the lexicon makes of them.

Rules and sentences are by the same author: real reports are harder than this.
"""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pandas as pd
import pytest

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.features.parts_encoder import ReportParts
from core.features.report_parts import Part, decompose, part_of, states_disease

LABELLED = Path(__file__).with_name("labelled_sentences.csv")


def labelled() -> pd.DataFrame:
    return pd.read_csv(LABELLED, sep="|", quoting=csv.QUOTE_NONE)


def test_the_parts_are_found_with_the_precision_and_recall_that_evidence_states() -> None:
    table = labelled()
    assert len(table) >= 150
    said = table["text"].map(lambda text: part_of(text).value)
    for part in Part:
        hit = ((said == part) & (table["part"] == part)).sum()
        assert hit / (said == part).sum() >= 0.85, part  # precision
        assert hit / (table["part"] == part).sum() >= 0.85, part  # recall


def test_denial_and_doubt_are_found() -> None:
    table = labelled()
    said = table["text"].map(lambda text: decompose(text)[0].assertion.value)
    found = table["part"] != "other"
    assert (said[found] == table["assertion"][found]).mean() >= 0.85


def test_every_part_is_verbatim_and_no_sentence_is_lost(shared_data: Path) -> None:
    reports = pd.read_csv(shared_data / "reports" / "tcga_liver_path_reports.csv")
    column = max(reports.columns, key=lambda c: reports[c].astype(str).str.len().mean())
    for text in reports[column].astype(str).head(60):
        parts = decompose(text)
        assert all(text[p.start : p.end] == p.text for p in parts)
        assert all(a.end <= b.start for a, b in itertools.pairwise(parts))
        starts, ends = [p.start for p in parts], [p.end for p in parts]
        left = "".join(text[a:b] for a, b in zip([0, *ends], [*starts, len(text)], strict=True))
        assert not any(c.isalnum() for c in left)


@pytest.mark.parametrize(
    ("sentence", "part"),
    [
        ("There is no focal liver lesion.", Part.TUMOUR),
        ("Cirrhotic liver without focal lesion.", Part.LIVER),
        ("Simple renal cyst.", Part.OTHER),
    ],
)
def test_what_decides_between_the_parts(sentence: str, part: Part) -> None:
    assert part_of(sentence) is part


def test_the_encoder_keeps_flags_places_and_nearness(tmp_path: Path) -> None:
    text = "Cirrhotic liver.\nA 5 cm mass in segment VIII. The kidneys are normal. A 4 cm mass in segment V."
    path = tmp_path / "report.txt"
    path.write_text(text)
    encoded = ReportParts().encode((MediaFile("p", Modality.REPORTS, MediaKind.REPORT, str(path)),))
    assert encoded.labels == ("liver", "tumour", "tumour")
    assert encoded.coordinates is not None
    assert [text[a:b] for a, b in encoded.coordinates] == [
        "Cirrhotic liver.", "A 5 cm mass in segment VIII.", "A 4 cm mass in segment V.",
    ]  # fmt: skip
    # liver, tumour, other; a finding of disease that is not denied
    assert encoded.features[:, :4].tolist() == [[1, 0, 0, 1], [0, 1, 0, 1], [0, 1, 0, 1]]
    denied = decompose("No ascites.")[0], decompose("The tumour is well circumscribed.")[0]
    assert [states_disease(s) for s in denied] == [False, True]
    assert not states_disease(decompose("The liver has a smooth surface.")[0])
    words = encoded.features[:, -64:]
    alike, unlike = words[1] @ words[2], words[0] @ words[1]
    assert alike > unlike + 0.2
