"""The survival curve of a patient with other clinical values, without a modality, or with a gene family at rest.

Sensitivity of the models and nothing else: no change here is a treatment, and none says what would happen to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.arrays import Float32Array, FloatArray, IntArray
from core.cohort.modality import Modality
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.explain.plausible import check_changes, is_number, observed_levels, observed_range
from core.explain.run_models import RunModels, UnseenModel
from core.features.inputs import Inputs
from core.results.what_if import Changeable, WhatIf, WhatIfChange, WhatIfCurve, WhatIfOptions


def what_if_options(models: RunModels, patient: str) -> WhatIfOptions:
    """What may be changed of this patient, and within which range."""
    row, inputs = models.row(patient), models.inputs
    unseen = models.unseen(patient)
    clinical = []
    if inputs.clinical is not None and inputs.present[Modality.CLINICAL][row]:
        train = inputs.clinical.iloc[unseen[0].trained_on]
        for name in train.columns:
            value = inputs.clinical[name].iloc[row]
            known = not (value is None or value != value)  # NaN is not itself
            if is_number(train[name]):
                low, high = observed_range(train[name])
                clinical.append(Changeable(str(name), float(value) if known else None, low, high))
            else:
                levels = observed_levels(train[name])
                clinical.append(Changeable(str(name), str(value) if known else None, levels=levels))
    held = tuple(m.value for m in inputs.modalities if inputs.present[m][row])
    families = tuple(inputs.families) if Modality.GENOMICS.value in held else ()
    return WhatIfOptions(models.run.id, patient, tuple(clinical), held, families, _limit(unseen))


def what_if(
    models: RunModels, patient: str, change: WhatIfChange, unseen: Sequence[UnseenModel] | None = None
) -> WhatIf:
    """The curves before and after ``change``, by the models that never saw the patient.

    ``unseen`` may hand these over when they are in memory already.

    Raises
    ------
    PrognoscopeError
        For a value outside the observed range, a combination that does not occur, or a change that leaves nothing.
    """
    row = models.row(patient)
    unseen = models.unseen(patient) if unseen is None else unseen
    before = models.inputs.take(np.array([row]))
    after = changed_inputs(models.inputs, row, unseen[0].trained_on, change)
    times = np.arange(1.0, _limit(unseen) + 1)
    return WhatIf(
        models.run.id,
        patient,
        np.concatenate([[0.0], times]),
        _curve(unseen, before, times),
        _curve(unseen, after, times),
        _words(models.inputs, row, change),
        len(unseen),
        models.run.synthetic,
        _notes(models.inputs, after, unseen[0].trained_on),
    )


def changed_inputs(inputs: Inputs, row: int, trained_on: IntArray, change: WhatIfChange) -> Inputs:
    """The inputs of the one patient with the change made; raises when it may not be made."""
    one = inputs.take(np.array([row]))
    held = [m for m in inputs.modalities if inputs.present[m][row]]
    off = _modalities(change.off, held)
    if change.clinical:
        if Modality.CLINICAL not in held or Modality.CLINICAL in off:
            raise _refused("clinical values that the models are not shown", "switch the clinical values on")
        assert inputs.clinical is not None  # noqa: S101
        clinical = one.clinical.copy() if one.clinical is not None else inputs.clinical.iloc[[row]].copy()
        for name, value in change.clinical.items():
            if name in clinical:
                number = is_number(clinical[name]) and not isinstance(value, str)
                clinical[name] = clinical[name].astype(float if number else object)
                clinical.loc[clinical.index[0], name] = value
        check_changes(inputs.clinical.iloc[trained_on], clinical.iloc[0], change.clinical)
        one = replace(one, clinical=clinical)
    if change.families:
        if Modality.GENOMICS not in held or Modality.GENOMICS in off:
            raise _refused("genes that the models are not shown", "switch the genes on")
        one = replace(one, genes=_at_rest(inputs, row, trained_on, change.families))
    if off:
        if len(off) == len(held):
            raise _refused("every modality switched off", "leave the models at least one")
        one = _without(one, off)
    return one


def _without(one: Inputs, off: Sequence[Modality]) -> Inputs:
    """The patient as one who never had these modalities."""
    present = {m: p & (m not in off) for m, p in one.present.items()}
    bags = {m: (None,) if m in off else b for m, b in one.bags.items()}
    return replace(one, present=present, bags=bags)


def _at_rest(inputs: Inputs, row: int, trained_on: IntArray, families: Sequence[str]) -> Float32Array:
    """(1, g) the patient's genes, those of the families at the training patients' median."""
    unknown = [f for f in families if f not in inputs.families]
    if unknown:
        raise _refused(f"no gene family {unknown[0]!r}", f"use one of {', '.join(inputs.families)}")
    assert inputs.genes is not None  # noqa: S101
    columns = np.array(sorted({c for f in families for c in inputs.families[f]}), dtype=np.int64)
    genes = inputs.genes[[row]].copy()
    others = inputs.genes[trained_on][:, columns]
    known = np.isfinite(others).any(axis=0)
    genes[0, columns[known]] = np.nanmedian(others[:, known], axis=0)
    return genes


def _modalities(names: Sequence[str], held: Sequence[Modality]) -> tuple[Modality, ...]:
    known = {m.value: m for m in held}
    unknown = [n for n in names if n not in known]
    if unknown:
        raise _refused(f"no {unknown[0]} of this patient to switch off", f"use one of {', '.join(known)}")
    return tuple(known[n] for n in dict.fromkeys(names))


def _curve(unseen: Sequence[UnseenModel], one: Inputs, times: FloatArray) -> WhatIfCurve:
    curves = np.stack([np.concatenate([[1.0], m.fitted.predict(one, times).survival[0]]) for m in unseen])
    return WhatIfCurve(curves.mean(axis=0), curves.min(axis=0), curves.max(axis=0))


def _limit(unseen: Sequence[UnseenModel]) -> float:
    """The last whole month at which every model estimates something."""
    return float(np.floor(min(m.fitted.bins.limit for m in unseen)))


def _words(inputs: Inputs, row: int, change: WhatIfChange) -> tuple[str, ...]:
    words = []
    for name, value in change.clinical.items():
        assert inputs.clinical is not None  # noqa: S101
        current = inputs.clinical[name].iloc[row]
        was = "not recorded" if current is None or current != current else current
        words.append(f"{name} {value} (was {was})")
    words += [f"{family} at the training patients' median" for family in change.families]
    return (*words, *(f"without {modality}" for modality in change.off))


def _notes(inputs: Inputs, after: Inputs, trained_on: IntArray) -> tuple[str, ...]:
    held = np.array([bool(after.present[m][0]) for m in inputs.modalities])
    patterns = np.stack([inputs.present[m][trained_on] for m in inputs.modalities], axis=1)
    alike = int((patterns == held).all(axis=1).sum())
    shown = [m.value for m, there in zip(inputs.modalities, held, strict=True) if there]
    if alike >= 5:
        return ()
    return (f"The models were trained on {plural(alike, 'patient')} with {', '.join(shown)} and nothing else.",)


def _refused(found: str, fix: str) -> PrognoscopeError:
    return PrognoscopeError(found, "the change", fix)
