"""The lexicon: what a sentence affirms, denies and doubts, on sentences with known answers and on real reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import make_encoder
from core.features.lexicon import findings, largest_size_cm
from core.features.lexicon_terms import CONCEPTS
from core.features.report_encoder import COLUMNS

YES, NO, MAYBE = "affirmed", "denied", "doubted"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("No tumor seen.", {"tumour": NO}),
        ("There is no ascites, but splenomegaly is present.", {"ascites": NO, "splenomegaly": YES}),
        ("HCC cannot be excluded.", {"carcinoma": MAYBE}),
        ("Lesion suspicious for HCC with washout.", {"carcinoma": MAYBE}),
        ("No lymphovascular space invasion or perineural invasion identified.",
         {"vascular invasion": NO, "perineural invasion": NO}),
        ("Macroscopic Venous (Large Vessel) Invasion (V): Not identified", {"vascular invasion": NO}),
        ("Portal vein thrombosis is not seen.", {"portal vein thrombus": NO}),
        ("The liver has a nodular contour without ascites or varices.",
         {"nodular contour": YES, "ascites": NO, "varices": NO}),
        ("Moderately differentiated hepatocellular carcinoma in a cirrhotic liver.",
         {"moderately differentiated": YES, "carcinoma": YES, "cirrhosis": YES}),
        ("Margins negative for carcinoma.", {"negative margin": YES, "carcinoma": NO}),
        ("Arterial phase hyperenhancement with portal venous washout and an enhancing capsule.",
         {"arterial enhancement": YES, "washout": YES, "capsule": YES}),
        ("Multiple bilobar lesions; no portal vein thrombus.",
         {"multifocal": YES, "tumour": YES, "portal vein thrombus": NO}),
    ],
)  # fmt: skip
def test_what_a_sentence_says(sentence: str, expected: dict[str, str]) -> None:
    found = {CONCEPTS[f.concept].name: f.assertion.value for f in findings(sentence)}
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("sentence", "size"),
    [("7.5 x 7.0 x 4.0 cm mass", 7.5), ("a 12 mm nodule", 1.2), ("3,5 cm", 3.5), ("segment 4", 0), ("646 cm", 0)],
)
def test_sizes_in_cm(sentence: str, size: float) -> None:
    assert largest_size_cm(sentence) == pytest.approx(size)


def report(path: Path) -> MediaFile:
    return MediaFile("p", Modality.REPORTS, MediaKind.REPORT, str(path), "radiology")


def test_rows_are_sentences_with_their_places(tmp_path: Path) -> None:
    text = "Patient was seen today.\nThe liver is cirrhotic. No ascites. A 32 mm lesion in segment VI."
    (tmp_path / "a.txt").write_text(text)
    encoded = make_encoder("lexicon").encode((report(tmp_path / "a.txt"),))
    assert encoded.coordinates is not None
    assert [text[a:b] for a, b in encoded.coordinates] == [
        "The liver is cirrhotic.",
        "No ascites.",
        "A 32 mm lesion in segment VI.",
    ]
    rows = [dict(zip(COLUMNS, r.tolist(), strict=True)) for r in encoded.features]
    assert (rows[0]["cirrhosis"], rows[1]["ascites"], rows[2]["tumour"]) == (1, -1, 1)
    assert [r["about the liver"] for r in rows] == [1, 1, 0]
    assert [r["about the tumour"] for r in rows] == [0, 0, 1]
    assert rows[2]["largest size, log cm"] == pytest.approx(np.log1p(3.2))
    assert [r["denied findings"] for r in rows] == [0, 1, 0]


def test_reports_without_a_known_word_and_reports_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Seen today.")
    (tmp_path / "TCGA.txt").write_bytes(b"\0\0")
    empty = make_encoder("lexicon").encode((report(tmp_path / "a.txt"), report(tmp_path / "TCGA.txt")))
    assert empty.features.shape == (1, len(COLUMNS))
    assert not empty.features.any()
    assert any("no sentence names" in w for w in empty.warnings)
    assert any("1 of 2 reports left out" in w for w in empty.warnings)
    with pytest.raises(PrognoscopeError, match="no plain text") as caught:
        make_encoder("lexicon").encode((report(tmp_path / "TCGA.txt"),))
    assert "TCGA" not in str(caught.value)


def test_real_reports_agree_with_their_labels(shared_data: Path) -> None:
    """The columns were read from the same reports by a language model: not the truth, but independent of the words."""
    table = pd.read_csv(shared_data / "reports" / "tcga_liver_path_reports.csv").dropna(
        subset=["ocr_text", "histology"]
    )
    names = [c.name for c in CONCEPTS]

    def says(text: str, concept: str) -> bool:
        found = [f for f in findings(text) if names[f.concept] == concept]
        return any(f.assertion.value == YES for f in found)

    for column, word, concept, least, most in (
        ("histology", "cholangio", "cholangiocarcinoma", 0.85, 0.15),
        ("histology", "hepatocellular", "carcinoma", 0.95, 1.0),
        ("grade", "well", "well differentiated", 0.85, 0.25),
    ):
        labelled = table[column].fillna("").str.contains(word, case=False)
        found = table["ocr_text"].map(lambda text, c=concept: says(text, c))
        assert found[labelled].mean() >= least
        assert found[~labelled].mean() <= most
