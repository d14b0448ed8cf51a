"""The patient report: the page's numbers, the same bytes twice, the line on each page, no treatment directed."""

from __future__ import annotations

import base64
import html as html_module
import io
import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from core.analysis.model_card import RESEARCH_ONLY
from core.analysis.patient_sentences import FORBIDDEN, count_words, percent_words
from core.board.forbidden import check_words, forbidden_in
from core.board.report_content import ReportContent, report_content
from core.board.report_html import report_html
from core.board.report_pdf import report_pdf
from core.board.slide_region import SlideRegion
from core.board.sources import read_sources
from core.board.talk import talk_html
from core.cohort.cohort import Cohort
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.results.board_store import Opinion, Verdict
from core.results.explanation import save_explanation
from core.results.slide_maps import LayerKind, MapLayer, SlideMaps, save_slide_maps
from core.results.workspace import Workspace
from tests.pages.builders import save_sample_run
from tests.pages.explanations import make_explanation

PATIENT = "SYN-0001"


def text_of(pdf: bytes) -> list[str]:
    """The readable text of each page: ASCII letters keep their codes in the embedded font."""
    pages = []
    for body in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            data = zlib.decompress(base64.a85decode(body.strip().removesuffix(b"~>")))
        except (ValueError, zlib.error):
            continue
        if b" Tf " in data:
            pages.append(" ".join(t.decode("latin-1") for t in re.findall(rb"\((.*?)(?<!\\)\)", data, re.DOTALL)))
    return pages


@pytest.fixture
def told(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The sample cohort with a run, an explanation of values, a slide and a map over it."""
    cohort = save_sample_run(workspace)
    save_explanation(make_explanation(), workspace)
    slide_with_map(cohort, workspace, tmp_path)
    return workspace


def slide_with_map(cohort: Cohort, workspace: Workspace, folder: Path) -> None:
    """A pale slide with one dark red square, which has the highest attention."""
    pixels = np.full((1024, 1536, 3), 235, dtype=np.uint8)
    pixels[512:640, 768:896] = (120, 10, 20)
    path = folder / "slide.tiff"
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(256, 256), resolution=(20000, 20000),
                     resolutionunit="CENTIMETER")  # fmt: skip
    save_media(cohort.name, MediaIndex((MediaFile(PATIENT, Modality.SLIDES, MediaKind.SLIDE, str(path)),)), workspace)
    grid = np.array([(x, y) for y in range(0, 1024, 128) for x in range(0, 1536, 128)], dtype=np.int64)
    values = np.linspace(0, 0.1, len(grid)).astype(np.float32)
    values[[i for i, (x, y) in enumerate(grid) if (x, y) == (768, 512)]] = 1.0
    layer = MapLayer("attention", "Attention", LayerKind.ATTENTION, values, False, "share")
    save_slide_maps(
        SlideMaps("hdmoe-1", PATIENT, 36.0, 2, np.zeros(len(grid), dtype=np.int64), grid, {0: 128.0}, (layer,), True,
                  "test", "test", 1.0), workspace,
    )  # fmt: skip


@pytest.fixture
def content(told: Workspace) -> ReportContent:
    return report_content(read_sources("hdmoe-1", None, told), PATIENT, 36.0, "IRB 2026-17 Łódź")


def test_the_reports_numbers_are_the_predictions_mean_of_unseen_models(told: Workspace, content: ReportContent) -> None:
    predictions = read_sources("hdmoe-1", None, told).card.predictions
    own = predictions.survival[(predictions.table["id"] == PATIENT).to_numpy()][:, predictions.times == 36.0]
    assert content.number is not None
    assert content.number.value == pytest.approx(own.mean())
    assert (content.number.low, content.number.high) == (pytest.approx(own.min()), pytest.approx(own.max()))
    words = percent_words(content.number.value)
    assert any(words in row for row in content.table.rows)
    plain = html_module.unescape(report_html(content))
    assert f"{count_words(content.number.value)} of 100" in plain
    assert f"{words}, 3 years" in plain
    assert plain.count('fill="#0B5D66" stroke="#0B5D66" stroke-width="1.1"') == content.number.of_hundred
    assert f"{count_words(content.number.value)} <small>of 100</small>" in talk_html(content)


def test_the_pdf_has_the_same_bytes_twice_and_the_line_on_each_page(content: ReportContent) -> None:
    first = report_pdf(content)
    assert first == report_pdf(content)
    pages = text_of(first)
    assert len(pages) == len(re.findall(rb"/Type /Page\b", first)) >= 2
    for text in pages:
        assert "Research use only. Not a medical device; not for diagnosis or treatment decisions." in text
        assert "Synthetic patients" in text
        assert "IRB 2026-17" in text
    whole = " ".join(pages)
    assert PATIENT in whole
    assert "TP53" in whole
    assert PATIENT.encode() not in re.sub(rb"stream.*?endstream", b"", first, flags=re.DOTALL)  # not in its title
    assert b"/DejaVuSans" in first or b"+DejaVuSans" in first
    assert first.count(b"/Subtype /Image") == 2  # two photographs of the slide; every figure is made of lines


def test_the_page_needs_nothing_else(content: ReportContent) -> None:
    page = report_html(content)
    assert page == report_html(content)
    assert RESEARCH_ONLY in html_module.unescape(page)
    assert "default-src 'none'" in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert page.count("<svg") == page.count('role="img" aria-label="')


def test_the_region_shows_the_patch_of_highest_attention(content: ReportContent) -> None:
    from PIL import Image

    region = content.region
    assert isinstance(region, SlideRegion)
    picture = np.asarray(Image.open(io.BytesIO(region.region)).convert("RGB"), dtype=int)
    middle = picture[len(picture) // 2, picture.shape[1] // 2]
    assert middle[0] > 90
    assert middle[1] < 60
    assert picture[20, 20].min() > 200
    assert "0.32 mm wide" in region.words


@pytest.mark.parametrize("evil", ['<img src=x onerror="alert(1)">', "<b>&amp;</para><!--patient-->", "=1+1\u202e"])
def test_a_note_and_a_name_stay_text(evil: str, content: ReportContent) -> None:
    opinion = Opinion(PATIENT, Verdict.UNSURE, evil, "2026-03-03T10:00:00.000+00:00")
    named = replace(content.called(evil), protocol=evil).with_opinion(opinion)
    page = report_html(named)
    assert "<img src=x" not in page
    assert "<!--patient-->" not in page
    assert report_pdf(named) == report_pdf(named)
    assert "<img src=x" not in talk_html(named)


def test_no_report_directs_a_treatment(content: ReportContent) -> None:
    for page in (report_html(content), talk_html(content)):
        text = html_module.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)).lower()
        assert forbidden_in(text.replace("not for diagnosis or treatment decisions", "")) == ()
    with pytest.raises(PrognoscopeError, match="Sorafenib"):
        check_words(["Sorafenib for this patient."])
    assert forbidden_in("The transplanted liver counts", ("liver",)) != ()
    assert forbidden_in("Liver transplant counts as the end.", ("liver transplant",)) == ()
    assert all(forbidden_in(f"x {w} y") for w in FORBIDDEN)


def test_a_patient_outside_the_training_gets_a_report_without_a_number(told: Workspace) -> None:
    import pandas as pd

    from core.results.own_support import OwnSupport

    sources = read_sources("hdmoe-1", None, told)
    far = OwnSupport(pd.DataFrame({"id": [PATIENT], "supported": [False], "reason": ["age far outside"],
                                   "distance": [2.0]}))  # fmt: skip
    sources = replace(sources, card=replace(sources.card, support=far))
    found = report_content(sources, PATIENT, 36.0)
    assert found.number is None
    page = html_module.unescape(report_html(found))
    assert "age far outside" in page
    assert "No estimate" in page
    assert not re.search(r"\d+ of 100", page)
    assert "What moved" not in page
    assert len(text_of(report_pdf(found))) >= 1


def test_unknown_patients_and_months_without_an_estimate_are_told(told: Workspace) -> None:
    sources = read_sources("hdmoe-1", None, told)
    with pytest.raises(PrognoscopeError, match="no such patient"):
        report_content(sources, "SYN-9999", 36.0)
    late = report_content(sources, PATIENT, 240.0)
    assert late.number is None
    assert "Not estimable" in report_html(late)


def test_from_across_the_room_nobody_is_known_by_a_great_age(content: ReportContent) -> None:
    old = replace(content.called("Patient 1 of 1"), identity=replace(content.identity, facts=("93 years", "male")))
    text = talk_html(old)
    assert "93" not in re.sub(r"base64,[A-Za-z0-9+/=]*|<[^>]*>", "", text).replace("0.93", "")
    assert "90 years or over · male" in text
    assert content.name not in text
