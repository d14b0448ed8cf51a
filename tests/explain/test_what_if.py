"""A what-if is what the stored models say of the changed inputs, and refuses what they have never seen."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.plausible import check_changes
from core.explain.what_if import changed_inputs, what_if, what_if_options
from core.models.registry import MODELS
from core.results.what_if import WhatIf, WhatIfChange, WhatIfOptions
from tests.explain.mixed_models import fit_models

trained = lru_cache(fit_models)


@pytest.mark.parametrize("name", tuple(MODELS))
def test_is_the_prediction_of_the_changed_patient(name: str) -> None:
    models = trained(name)
    change = WhatIfChange({"age": 70.0, "stage": "III"}, ("slides",), ("first",))
    found = what_if(models, "P000", change)
    one = models.inputs.take(np.array([0]))
    assert one.clinical is not None
    assert one.genes is not None
    assert models.inputs.genes is not None
    clinical = one.clinical.assign(age=70.0, stage="III")
    genes = one.genes.copy()
    genes[0, :7] = np.nanmedian(models.inputs.genes[models.fold == 1][:, :7], axis=0)
    present = {**one.present, Modality.SLIDES: np.array([False])}
    by_hand = replace(one, clinical=clinical, genes=genes, present=present, bags={**one.bags, Modality.SLIDES: (None,)})
    times = np.array([12.0, 24.0])
    expected = [m.fitted.predict(by_hand, times).survival[0] for m in models.unseen("P000")]
    places = [list(found.times).index(t) for t in times]
    assert np.allclose(found.after.survival[places], np.mean(expected, axis=0), atol=1e-6)
    assert np.allclose(found.after.low[places], np.min(expected, axis=0), atol=1e-6)
    shown = [m.fitted.predict(one, times).survival[0] for m in models.unseen("P000")]
    assert np.allclose(found.before.survival[places], np.mean(shown, axis=0), atol=1e-6)
    assert found.at(12.0) == pytest.approx((np.mean(shown, axis=0)[0], np.mean(expected, axis=0)[0]), abs=1e-6)
    assert found.changed[0].startswith("age 70.0 (was ")
    assert found.times[0] == 0
    assert found.after.survival[0] == 1.0
    back = WhatIf.from_json(found.as_json())
    assert np.allclose(back.after.high, found.after.high)
    assert back.notes == found.notes
    assert back.changed == found.changed


def test_no_change_changes_nothing() -> None:
    found = what_if(trained("hdmoe"), "P001", WhatIfChange())
    assert np.array_equal(found.before.survival, found.after.survival)


def test_options_are_what_was_observed() -> None:
    models = trained("snn")
    options = what_if_options(models, "P003")  # age is not recorded
    age, stage = options.clinical
    train = models.inputs.clinical[models.fold == 1]  # type: ignore[index]
    assert (age.low, age.high) == (train["age"].min(), train["age"].max())
    assert age.current is None
    assert stage.levels == ("I", "II", "III")
    assert WhatIfOptions.from_json(options.as_json()) == options
    assert what_if(models, "P003", WhatIfChange({"age": 60})).changed == ("age 60 (was not recorded)",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (WhatIfChange({"age": 300}), "age = 300, outside what the training patients have"),
        (WhatIfChange({"age": "old"}), "which is no number"),
        (WhatIfChange({"stage": "IX"}), "stage = 'IX', which no training patient has"),
        (WhatIfChange({"colour": 1}), "no clinical input 'colour'"),
        (WhatIfChange({"age": 60}, ("clinical",)), "clinical values that the models are not shown"),
        (WhatIfChange({}, ("genomics",), ("first",)), "genes that the models are not shown"),
        (WhatIfChange({}, (), ("fourth",)), "no gene family 'fourth'"),
        (WhatIfChange({}, ("volumes",)), "no volumes of this patient to switch off"),
        (WhatIfChange({}, ("slides", "genomics", "reports", "clinical")), "every modality switched off"),
    ],
)
def test_refuses_with_the_reason(change: WhatIfChange, words: str) -> None:
    models = trained("snn")
    with pytest.raises(PrognoscopeError, match=words):
        changed_inputs(models.inputs, 0, np.flatnonzero(models.fold == 1), change)


def test_refuses_combinations_that_do_not_occur() -> None:
    random = np.random.default_rng(0)
    afp = random.lognormal(3, 1, 60)
    train = pd.DataFrame(
        {
            "afp": afp,
            "log_afp": np.log10(afp).round(6),
            "age": random.normal(60, 9, 60),
            "stage": ["early"] * 30 + ["late"] * 30,
            "invasion": ["none"] * 30 + ["none", "macro"] * 15,
        }
    )
    patient = train.iloc[0].copy()
    patient["invasion"] = "macro"
    with pytest.raises(PrognoscopeError, match="invasion = macro together with stage = early"):
        check_changes(train, patient, {"invasion": "macro"})
    patient["stage"] = "late"
    check_changes(train, patient, {"invasion": "macro", "stage": "late"})
    with pytest.raises(PrognoscopeError, match="a change of afp without log_afp"):
        check_changes(train, patient, {"afp": float(np.median(afp))})
    check_changes(train, patient, {"age": 60.0})
