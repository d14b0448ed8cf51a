"""A model card as titled tables of words: the same for Markdown, HTML and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.analysis.cohort_flow import FlowStep
from core.analysis.comparisons import interval
from core.analysis.decision import decision_sentence
from core.analysis.model_card import MetricRow, ModelCard
from core.analysis.patient_sentences import month_words
from core.analysis.subgroups import Subgroup
from core.results.run import Metric
from core.statistics.estimate import Estimate


@dataclass(frozen=True)
class Table:
    """``before`` sentences above · ``rows`` cells a line · ``items`` a list instead of, or below, the table."""

    title: str
    before: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    items: tuple[str, ...] = ()


def card_tables(card: ModelCard) -> tuple[Table, ...]:
    """All parts of the card in reading order."""
    return (
        Table("Limitations", items=card.limitations),
        performance_table(card),
        calibration_table(card),
        Table(
            "Decision curve",
            (
                decision_sentence(card.decision),
                DECISION_NOTE,
                f"{card.decision.stage[:1].upper()}{card.decision.stage[1:]}.",
            ),
        ),
        subgroup_table(card),
        family_table(card),
        flow_table(card.flow),
        tripod_table(card),
        record_table(card),
    )


DECISION_NOTE = (
    "Net benefit is the share of patients rightly acted on less those wrongly acted on, weighed by the threshold; "
    "the event is seen through censoring by Kaplan-Meier. It says what a rule is worth to whoever holds the "
    "preference that the threshold stands for."
)


def metric_words(row: MetricRow) -> str:
    """A number with its interval, or why there is none."""
    found = row.value
    return interval(found.value, found.low, found.high, row.digits) if found.value is not None else found.note or "–"


def performance_table(card: ModelCard) -> Table:
    """Discrimination and overall accuracy beside every row the run is read against."""
    rows = [
        (m.name, metric_words(m), m.right) for m in card.metrics if "alibration" not in m.name and "ICI" not in m.name
    ]
    rows += [
        (f"Harrell C of: {r.name}", _interval(r.metrics.harrell_c), "below this run's")
        for r in card.run.references
    ]  # fmt: skip
    return Table("Performance", (f"{card.badge.capitalize()} predictions of {card.run.patients:,} patients, "
                                 f"{card.run.events:,} events.",),
                 ("Measure", "Value (95 % CI)", "Ideally"), tuple(rows))  # fmt: skip


def _interval(metric: Metric) -> str:
    return interval(metric.mean, metric.low, metric.high, 3)


def calibration_table(card: ModelCard) -> Table:
    """Slope and ICI at each horizon."""
    rows = [(m.name, metric_words(m), m.right) for m in card.metrics if m.calibration]
    before = () if card.quality is not None else (f"Not drawn: {card.no_quality}.",)
    return Table("Calibration", before, ("Measure", "Value (95 % CI)", "Ideally"), tuple(rows))


def subgroup_table(card: ModelCard) -> Table:
    """One row a group."""
    when = month_words(card.month)
    columns = ("Group", "Patients", "Events", "Harrell C (95 % CI)", f"Estimated at {when}", "Observed (95 % CI)",
               "Difference, points")  # fmt: skip
    before = ("A positive difference: the run is too hopeful. Groups that are too small say so.",)
    return Table("Groups of patients", before, columns, tuple(_group(g) for g in card.subgroups))


def _group(group: Subgroup) -> tuple[str, ...]:
    name = f"{group.variable}: {group.level}" if group.level else group.variable
    counts = (f"{group.n:,}", f"{group.events:,}")
    if group.c.value is None and group.predicted is None:
        return (name, *counts, group.note or group.c.note, "–", "–", "–")
    predicted = "–" if group.predicted is None else f"{100 * group.predicted:.0f} %"
    level = _percent(group.difference, " ") if group.difference.value is not None else group.note or "–"
    return (name, *counts, interval(group.c.value, group.c.low, group.c.high), predicted,
            _percent(group.observed, " % "), level)  # fmt: skip


def _percent(found: Estimate, unit: str) -> str:
    """``"49 % (41 to 57)"``."""
    if found.value is None:
        return "–"
    low, high = (None if v is None else 100 * v for v in (found.low, found.high))
    words = interval(100 * found.value, low, high, 0)
    return words.replace(" (", f"{unit}(", 1) if "(" in words else f"{words}{unit.rstrip()}"


def family_table(card: ModelCard) -> Table:
    """The same model on other folds."""
    rows = [
        (f.words + (" (this card)" if f.shown else ""), f"{f.run.n_folds}", f"{len(f.run.seeds)}", _interval(f.c),
         "–" if f.run.metrics.ibs.mean is None else f"{f.run.metrics.ibs.mean:.3f}", f.run.id)
        for f in card.families
    ]  # fmt: skip
    columns = ("Folds", "Folds", "Seeds", "Harrell C (95 % CI)", "IBS", "Run")
    return Table("Families of folds", card.missing_families, (columns[0], "Number", *columns[2:]), tuple(rows))


def flow_table(flow: Sequence[FlowStep]) -> Table:
    """Every step and every exclusion."""
    rows: list[tuple[str, ...]] = []
    for step in flow:
        rows.extend((f"left out: {reason}", f"{count:,}") for reason, count in step.left_out)
        count = "–" if step.patients is None else f"{step.patients:,}"
        rows.append((f"{step.words} ({step.more})" if step.more else step.words, count))
    return Table("Patients: from the files to the numbers", (), ("Step", "Patients"), tuple(rows))


def tripod_table(card: ModelCard) -> Table:
    """All items with what is there and what is missing."""
    rows = []
    for item in card.items:
        missing = f"Missing: {'; '.join(item.missing)}." if item.missing else ""
        text = " ".join([*item.facts, missing]).strip()
        rows.append((str(item.number), f"{item.section}: {item.topic}", str(item.status), text))
    return Table("TRIPOD+AI", (f"{card.counter}. Made from the record; nothing was typed.",),
                 ("Item", "What", "Status", "From the record"), tuple(rows))  # fmt: skip


def record_table(card: ModelCard) -> Table:
    """What makes the run repeatable."""
    run = card.run
    rows = (
        ("Run", run.id), ("Trained", f"{run.created_at[:16].replace('T', ' ')} UTC, {run.seconds:,.0f} s"),
        ("Code", run.code_version), ("Data", f"{run.cohort}, SHA-256 {run.cohort_hash}"),
        ("Data imported", card.imported_at or "not kept"), ("Machine", run.machine), ("Command", run.command),
    )  # fmt: skip
    return Table("Record", (), ("Record", "Value"), rows)
