"""What may go wrong inside a model while it is trained, beyond a router: shown to a person, and choosing nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.results.training_curve import COLLAPSE_EPOCHS, CurvePoint

TIGHT_EMBEDDING, TIGHT_RISK = 0.01, 0.01
"""Patients of one cancer are hardly told apart when, for three epochs in a row, the variance of their embeddings
within a cancer is below 1 % of the embeddings' mean square, or the standard deviation of their risks below 0.01."""
FAR_DRIFT = 1.0
"""Stand-ins have drifted when their centre lies further from that of the real ones than the real ones themselves do
(root mean square), for three epochs in a row."""


@dataclass(frozen=True)
class Alarm:
    """``title`` what it is · ``fits`` of ``of`` fits show it · ``words`` a sentence for a page."""

    title: str
    fits: int
    of: int
    words: str


def alarms(points: Sequence[CurvePoint]) -> tuple[Alarm, ...]:
    """Every alarm by the state at the end of what is known, over the fits (fold and seed) seen."""
    fits: dict[tuple[int, int], list[CurvePoint]] = {}
    for point in sorted(points, key=lambda p: p.epoch):
        fits.setdefault((point.fold, point.seed), []).append(point)
    last = [epochs[-COLLAPSE_EPOCHS:] for epochs in fits.values() if len(epochs) >= COLLAPSE_EPOCHS]
    found = [_same_risk(last, len(fits)), _tight(last, len(fits)), *_drifts(last, len(fits))]
    return tuple(alarm for alarm in found if alarm is not None)


def _same_risk(last: list[list[CurvePoint]], of: int) -> Alarm | None:
    """Embeddings that differ, with risks that do not: what the model knows of a patient never reaches the answer."""
    low = [e for e in last if all(p.risk_spread is not None and p.risk_spread < TIGHT_RISK for p in e)]
    if not low:
        return None
    apart = max(e[-1].embedding_spread or 0.0 for e in low)
    words = (
        f"In {len(low)} of {of} fits patients of one cancer get nearly the same risk, for at least {COLLAPSE_EPOCHS} "
        f"epochs (standard deviation below {TIGHT_RISK:g}), while their embeddings vary by {100 * apart:.1f} % of "
        "their size."
    )
    return Alarm("All patients look alike", len(low), of, words)


def _tight(last: list[list[CurvePoint]], of: int) -> Alarm | None:
    low = [e for e in last if all(p.embedding_spread is not None and p.embedding_spread < TIGHT_EMBEDDING for p in e)]
    if not low:
        return None
    spread = max(e[-1].risk_spread or 0.0 for e in low)
    words = (
        f"In {len(low)} of {of} fits the embeddings of one cancer's patients lie nearly at one point, for at least "
        f"{COLLAPSE_EPOCHS} epochs (within {100 * TIGHT_EMBEDDING:g} % of their size; risks vary by {spread:.3f})."
    )
    return Alarm("The patients' clusters are too tight", len(low), of, words)


def _drifts(last: list[list[CurvePoint]], of: int) -> list[Alarm | None]:
    names = sorted({name for epochs in last for point in epochs for name in point.drift})
    found: list[Alarm | None] = []
    for name in names:
        far = [e for e in last if all(p.drift.get(name, 0.0) > FAR_DRIFT for p in e)]
        if far:
            most = max(e[-1].drift[name] for e in far)
            words = (
                f"In {len(far)} of {of} fits what stands in for missing {name} lies far from the real {name} (up to "
                f"{most:.1f} times their own spread): patients without {name} are judged on something else."
            )
            found.append(Alarm(f"Stand-ins for {name} have drifted", len(far), of, words))
    return found
