"""Reports: encodings, sentences and their places."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PrognoscopeError
from core.media.reports import read_report, sentences


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "r.txt").write_bytes("Läsion 3 µm\r\nin Segment IV".encode(encoding))
    assert read_report(tmp_path / "r.txt") == "Läsion 3 µm\nin Segment IV"


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    for name, content in (("a.txt", b"  \n"), ("b.txt", b"PK\0\0\x03"), ("c.txt", b"x" * 5_000_001)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PrognoscopeError):
            read_report(tmp_path / name)


def test_sentences_end_where_a_reader_would_end_them() -> None:
    text = (
        "FINDINGS: A 2.5 cm lesion, e.g. HCC, in seg. 4.  No ascites; spleen normal.\n- Cirrhosis\n- Varices\n\n"
        "IMPRESSION: Probable HCC. Dr. A agrees? Yes."
    )
    assert [s.text for s in sentences(text)] == [
        "FINDINGS: A 2.5 cm lesion, e.g. HCC, in seg. 4.",
        "No ascites;",
        "spleen normal.",
        "- Cirrhosis",
        "- Varices",
        "IMPRESSION: Probable HCC.",
        "Dr. A agrees?",
        "Yes.",
    ]


@given(st.text(alphabet="aB1 .;:?\n-é", max_size=80))
def test_spans_are_the_text_in_order_and_lose_no_letter(text: str) -> None:
    spans = sentences(text)
    assert all(text[s.start : s.end] == s.text for s in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert sum(c.isalnum() for s in spans for c in s.text) == sum(c.isalnum() for c in text)


def test_real_reports_are_cut_into_sentences(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "reports" / "tcga_liver_path_reports.csv")
    counts = [len(sentences(text)) for text in table["ocr_text"].dropna()]
    assert min(counts) >= 1
    assert 20 < pd.Series(counts).median() < 200
