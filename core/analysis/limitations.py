"""What limits a run's numbers, in sentences that follow from its record and its predictions."""

from __future__ import annotations

from core.analysis.card_families import fold_kind
from core.analysis.card_source import CardSource, import_notes
from core.analysis.comparisons import interval
from core.analysis.decision import Decision, sure_range
from core.analysis.patient_sentences import month_words
from core.analysis.subgroups import Subgroup, off_the_mark
from core.cohort.modality import Modality
from core.cohort.wording import plural

FEW_EVENTS = 200
"""Below this many events a calibration is hardly judged (van Calster et al., BMC Med 2019, 17:230)."""
FEW_SEEDS = 3


def limitations_of(
    source: CardSource, decision: Decision, subgroups: tuple[Subgroup, ...], families: tuple[str, ...]
) -> tuple[str, ...]:
    """Sentences, the gravest first. ``families`` says which fold families are missing."""
    return (
        *_kind(source), *_data(source), *_ranking(source), *_calibration(source, subgroups),
        *([] if decision.curve is not None and sure_range(decision.curve) else _no_benefit(decision)),
        *families, *_warnings(source),
    )  # fmt: skip


def _kind(source: CardSource) -> list[str]:
    run, found = source.run, []
    if run.synthetic:
        found.append("The patients are generated: nothing here speaks of real people.")
    if run.protocol == "upstream":
        found.append("The epoch was chosen on the test patients (upstream protocol): every number is optimistic.")
    found.append(
        "Tested inside one cohort alone; how the model does elsewhere is not known."
        if not source.scored else
        f"Tested inside one cohort; {source.scored} other scored, whose numbers stand on the Cohort page."
    )  # fmt: skip
    if fold_kind(run.folds) != "site" and source.cohort.sites is not None:
        found.append("Patients of one site stand in training and in test folds.")
    return found


def _data(source: CardSource) -> list[str]:
    run, found = source.run, []
    if not source.same_data:
        found.append("The cohort was imported again since: counts and groups speak of the present import.")
    if run.events < FEW_EVENTS:
        found.append(f"{run.events} events: fewer than {FEW_EVENTS}, too few to judge calibration closely.")
    if len(run.seeds) < FEW_SEEDS:
        found.append(f"Trained with {len(run.seeds)} seed{'s' if len(run.seeds) > 1 else ''}: chance has its part.")
    lacking = [e.reason for e in source.cohort.exclusions if e.count]
    if lacking:
        found.append("Patients were left out at import; see the flow.")
    if source.endpoint.has_competing:
        found.append(f"{source.endpoint.competing_label.capitalize() or 'A competing event'} is treated as censoring: "
                     "probabilities speak as if it did not happen.")  # fmt: skip
    if source.support is None:
        found.append("Which patients lie outside the training support was not checked.")
    return found


def _ranking(source: CardSource) -> list[str]:
    run, m, found = source.run, source.run.metrics, []
    c = m.harrell_c
    if c.low is not None and c.low <= 0.5:
        found.append(f"The interval of Harrell C holds 0.5 ({interval(c.mean, c.low, c.high, 3)}): no better than a "
                     "coin cannot be ruled out.")  # fmt: skip
    if None not in (m.ibs.mean, m.ibs_kaplan_meier.mean) and (m.ibs.mean or 0) >= (m.ibs_kaplan_meier.mean or 0):
        found.append(f"The integrated Brier score ({m.ibs.mean:.3f}) is no better than that of the Kaplan-Meier null "
                     f"({m.ibs_kaplan_meier.mean:.3f}).")  # fmt: skip
    simple = [r for r in run.references if not r.name.startswith("this run")]
    if not simple:
        found.append("Trained without simpler models beside it: whether a Cox model does as well is not known.")
    better = [r.name for r in simple if (r.metrics.harrell_c.mean or 0) >= (c.mean or 0)]
    if better:
        found.append(f"No better in Harrell C than: {', '.join(better)}.")
    unused = [r.name for r in run.references
              if r.name.startswith("this run") and (r.metrics.harrell_c.mean or 0) >= (c.mean or 0)]  # fmt: skip
    for modality in Modality:
        if f"this run, {modality.value} permuted" in unused:
            found.append(f"With {modality.value} shuffled among patients the ranking is as good: it may not use them.")
    return found


def _calibration(source: CardSource, subgroups: tuple[Subgroup, ...]) -> list[str]:
    found = []
    for key, slope in source.run.metrics.calibration_slope.items():
        if slope.low is not None and slope.high is not None and not slope.low <= 1 <= slope.high:
            word = "lie too far apart" if slope.high < 1 else "lie too close together"
            if (slope.mean or 0) <= 0:
                word = "do not follow what happened"
            found.append(f"Estimates at {month_words(float(key))} {word} (calibration slope "
                         f"{interval(slope.mean, slope.low, slope.high)}).")  # fmt: skip
    p = source.run.metrics.d_calibration_p.mean
    if p is not None and p < 0.05:
        found.append(f"The survival curves as a whole are not calibrated (D-calibration p = {p:.3f}).")
    for group in off_the_mark(subgroups):
        hopeful = "too hopeful" if (group.difference.value or 0) > 0 else "too gloomy"
        name = f"{group.variable} {group.level}".strip()
        found.append(f"{name}: {hopeful} by {100 * abs(group.difference.value or 0):.0f} percentage points at "
                     f"{month_words(source.month)}.")  # fmt: skip
    few = sum(1 for g in subgroups if g.c.value is None)
    if few:
        found.append(f"{few} of {max(0, len(subgroups) - 1)} groups are too small to judge.")
    return found


def _no_benefit(decision: Decision) -> list[str]:
    if decision.curve is None:
        return [f"No decision curve: {decision.note}."]
    return ["At no threshold drawn is the net benefit beyond chance higher than that of the best simple rule."]


def _warnings(source: CardSource) -> list[str]:
    """What the training warned of, sentence by sentence; what the import did is counted and stands under data."""
    notes = set(source.cohort.warnings)
    found = [f"{w[:1].upper()}{w[1:].rstrip('.')}." for w in dict.fromkeys(source.run.warnings) if w not in notes]
    changed = len(import_notes(source))
    if changed:
        found.append(f"The import left {plural(changed, 'note')} on values joined, converted or set missing: item 7.")
    return found
