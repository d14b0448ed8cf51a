"""Generated reports: the truth about every sentence is verbatim, and words carry what was planted, with noise."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.cohort.sample import SPECIFICATION, SampleTruth, make_sample_cohort
from core.media.reports import sentences
from core.media.synthetic.report_writer import WrittenReport, write_report

LAW = json.loads(SPECIFICATION.read_text())["media"]["reports"]


@pytest.fixture(scope="module")
def truth() -> SampleTruth:
    return make_sample_cohort()[1]


@pytest.fixture(scope="module")
def reports(truth: SampleTruth) -> list[WrittenReport]:
    rows = truth.findings.to_dict("records")
    return [write_report(row, LAW, np.random.default_rng([3, i])) for i, row in enumerate(rows)]


def test_sentences_are_verbatim_and_those_that_the_reader_finds(reports: list[WrittenReport]) -> None:
    for report in reports:
        found = {(s.start, s.end): s.text for s in sentences(report.text)}
        for entry in report.as_json():
            assert report.text[entry["start"] : entry["end"]] == entry["text"]
            assert found[entry["start"], entry["end"]] == entry["text"]
            assert entry["text"].endswith(".")
            assert "{" not in entry["text"]
        headings = [text for place, text in found.items() if place not in {(s.start, s.end) for s in report.sentences}]
        assert all(h.isupper() for h in headings)


def test_every_report_has_all_kinds_and_none_is_like_another(reports: list[WrittenReport]) -> None:
    for report in reports:
        assert {s.kind for s in report.sentences} == {"liver", "tumour", "other"}
    assert len({r.text for r in reports}) == len(reports)
    text = " ".join(r.text for r in reports)
    for word in ("No ascites", "cannot be excluded", "equivocal", "thrombus", "cirrhosis", "gallbladder"):
        assert word in text


def count(report: WrittenReport, kind: str, words: tuple[str, ...]) -> int:
    text = " ".join(e["text"].lower() for e in report.as_json() if e["kind"] == kind)
    return sum(text.count(w) for w in words)


def test_words_carry_both_causes_with_noise(truth: SampleTruth, reports: list[WrittenReport]) -> None:
    damaged = ("cirrho", "enlarged", "hypertension", "varices", "poor", "reduced", "marked")
    spread = ("washes out", "thrombus of", "thrombus in", "infiltrat", "satellites", "metast", "advanced", "marked")
    liver = [count(r, "liver", damaged) - count(r, "liver", ("no ", "without", "normal")) for r in reports]
    tumour = [count(r, "tumour", spread) for r in reports]
    reserve, burden = truth.latents["liver_reserve"], truth.latents["tumour_burden"]
    assert -0.75 < spearmanr(liver, reserve).statistic < -0.35
    assert 0.35 < spearmanr(tumour, burden).statistic < 0.85
    assert abs(spearmanr(liver, burden).statistic) < 0.2
    assert abs(spearmanr(tumour, reserve).statistic) < 0.2
