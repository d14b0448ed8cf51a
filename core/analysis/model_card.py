"""The model card of a run: everything a reader needs to judge it, made from the record and the stored predictions."""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.card_families import FamilyRow, fold_families
from core.analysis.card_quality import estimate, quality_of_run
from core.analysis.card_source import CardSource
from core.analysis.cohort_flow import FlowStep, cohort_flow
from core.analysis.decision import Decision, decision_of
from core.analysis.limitations import limitations_of
from core.analysis.model_quality import ModelQuality
from core.analysis.patient_sentences import month_words
from core.analysis.subgroups import Subgroup, subgroups_of
from core.analysis.tripod import CardItem, counted, tripod_items
from core.errors import PrognoscopeError
from core.results.naming import badge, model_words
from core.results.run import Run
from core.statistics.estimate import Estimate

RESEARCH_ONLY = "Research use only. Not a medical device; not for diagnosis or treatment decisions."


@dataclass(frozen=True)
class MetricRow:
    """One measured number. ``digits`` after the point · ``right`` what it would ideally be, in words ·
    ``calibration`` it tells whether the probabilities are right."""

    name: str
    value: Estimate
    digits: int
    right: str
    calibration: bool = False


@dataclass(frozen=True, eq=False)
class ModelCard:
    """All parts of a card.

    ``month`` is the horizon of the decision curve and of the subgroups · ``quality`` None with the reason in
    ``no_quality`` · ``missing_families`` a sentence for each family of folds without a run.
    """

    run: Run
    title: str
    cohort_title: str
    badge: str
    month: float
    imported_at: str
    items: tuple[CardItem, ...]
    flow: tuple[FlowStep, ...]
    metrics: tuple[MetricRow, ...]
    quality: ModelQuality | None
    no_quality: str
    decision: Decision
    subgroups: tuple[Subgroup, ...]
    families: tuple[FamilyRow, ...]
    missing_families: tuple[str, ...]
    limitations: tuple[str, ...]

    @property
    def counter(self) -> str:
        """``"15 of 27 TRIPOD+AI items filled, 8 in part, 4 empty"``."""
        counts = counted(self.items)
        filled, part, empty = counts.values()
        return f"{filled} of {len(self.items)} TRIPOD+AI items filled, {part} in part, {empty} empty"


def model_card(source: CardSource, repeats: int = 200) -> ModelCard:
    """Make the card.

    Parameters
    ----------
    repeats : int
        Bootstrap samples of the decision curve; subgroups take 2.5 times as many.
    """
    run = source.run
    decision = decision_of(source.cohort, source.predictions, source.month, repeats)
    groups = subgroups_of(source.cohort, source.predictions, source.month, repeats * 5 // 2)
    families, missing = fold_families(run, source.others)
    limits = limitations_of(source, decision, groups, missing)
    quality, reason = _quality(source)
    return ModelCard(
        run=run,
        title=f"{model_words(run.model)}, {' + '.join(run.modalities)}, {source.endpoint.label.lower()}",
        cohort_title=source.cohort.title,
        badge=badge(run.protocol, source.predictions.in_sample),
        month=source.month,
        imported_at=source.cohort.provenance.imported_at[:10],
        items=tripod_items(source, len(limits), max(0, len(groups) - 1)),
        flow=cohort_flow(source),
        metrics=metric_rows(run),
        quality=quality,
        no_quality=reason,
        decision=decision,
        subgroups=groups,
        families=families,
        missing_families=missing,
        limitations=limits,
    )


def _quality(source: CardSource) -> tuple[ModelQuality | None, str]:
    try:
        return quality_of_run(source), ""
    except PrognoscopeError as error:
        return None, error.found


def metric_rows(run: Run) -> tuple[MetricRow, ...]:
    """Discrimination first, then calibration, each with its interval, from the record."""
    m = run.metrics
    rows = [
        MetricRow("Harrell C, pairs within a fold", estimate(m.harrell_c), 3, "1; 0.5 is a coin"),
        MetricRow("Uno C", estimate(m.uno_c), 3, "1; 0.5 is a coin"),
        MetricRow("Integrated Brier score", estimate(m.ibs), 3, "0; below the null"),
        MetricRow("… of the Kaplan-Meier null", estimate(m.ibs_kaplan_meier), 3, ""),
    ]
    for key, auc in m.auc.items():
        rows.append(MetricRow(f"AUC at {month_words(float(key))}", estimate(auc), 3, "1; 0.5 is a coin"))
    for key, slope in m.calibration_slope.items():
        rows.append(MetricRow(f"Calibration slope at {month_words(float(key))}", estimate(slope), 2, "1", True))
    for key, ici in m.ici.items():
        rows.append(MetricRow(f"ICI at {month_words(float(key))}", estimate(ici), 3, "0", True))
    rows.append(MetricRow("D-calibration, p", estimate(m.d_calibration_p), 3, "not small", True))
    return tuple(rows)
