"""What is said of the effects of sentences: agreement of the models, and whether disease counts for more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.tasks.report_trust import SampledReport, report_trust

PARTS = ("tumour", "liver", "other", "other")


def run(seeds: int = 2) -> Any:
    return SimpleNamespace(run=SimpleNamespace(id="r", seeds=tuple(range(seeds)), synthetic=True))


def test_agreement_leaves_out_sentences_that_do_nothing() -> None:
    effect = np.array([[-2.0, 1.0, 0.0, 0.5], [-1.0, -0.5, 0.0, 0.25]])
    found = {n.name: n for n in report_trust(run(), [SampledReport(effect, PARTS)]).numbers}
    assert found["the models agree"].value == pytest.approx((1 + 0.5 + 1) / 3)
    assert found["disease sentences count for more"].value == pytest.approx((2 + 1) / 4)


def test_one_model_and_reports_without_an_effect_have_no_number() -> None:
    nothing = SampledReport(np.zeros((1, 4)), PARTS)
    found = report_trust(run(1), [nothing])
    assert [n.value for n in found.numbers] == [None, None]
    assert found.patients == 1
    only = SampledReport(np.ones((2, 2)), ("tumour", "liver"))
    assert report_trust(run(), [only]).numbers[1].value is None
