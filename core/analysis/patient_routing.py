"""Where a run's routers sent one patient, by the models that never saw them, in one sentence a level."""

from __future__ import annotations

import numpy as np

from core.analysis.patient_sentences import say
from core.results.routing_record import LevelRecord, RoutingRecord


def routing_of_patient(record: RoutingRecord, patient: str) -> tuple[str, ...]:
    """One sentence a level: the expert with most gate weight, or why none can be named; () for a stranger."""
    places = [i for i, name in enumerate(record.ids) if name == patient]
    return tuple(_level(level, places[0]) for level in record.levels.values()) if places else ()


def _level(level: LevelRecord, place: int) -> str:
    title = level.name[:1].upper() + level.name[1:]
    if not bool(level.present[place]):
        return say("routing_absent", level=title)
    if not level.comparable:
        return say("routing_unmatched", level=title)
    mass = np.asarray(level.mass[:, place], dtype=np.float64)
    top = int(mass.mean(axis=0).argmax())
    share, each = float(mass.mean(axis=0)[top]), mass[:, top]
    return say(
        "routing", level=title, expert=level.experts[top], share=f"{100 * share:.0f} %",
        low=f"{100 * each.min():.0f}", high=f"{100 * each.max():.0f} %", models=len(mass),
    )  # fmt: skip
