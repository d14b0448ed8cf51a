"""An explanation in plain sentences, made by template from the very numbers its waterfall draws."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.analysis.points import MINUS, group_words, month_words, percent_of, points
from core.analysis.waterfall import STABLE_SIGN, adds_up, value_name
from core.cohort.wording import plural
from core.results.explanation import Explanation

MOST_REASONS = 3
SMALLEST = 0.05
"""Percentage points below which an effect is printed as 0.0 and is no reason."""
ENOUGH_AGREEMENT = 0.5
MUCH_RESIDUAL = 0.5


@dataclass(frozen=True)
class Reason:
    """One value that moves the estimate: its ``name`` in words, what was ``observed``, ``value`` in percentage points
    of survival (negative lowers survival: it raises the estimated risk), ``sign_share`` of models and draws."""

    name: str
    group: str
    observed: str
    value: float
    sign_share: float

    @property
    def sentence(self) -> str:
        """``"age (71) lowers the estimated survival by 2.4 percentage points"``."""
        words = self.observed.replace(" (", ", ").rstrip(")")
        seen = f" ({words})" if words and not self.name.endswith(f": {words}") else ""
        verb = "raises" if self.value > 0 else "lowers"
        return f"{self.name}{seen} {verb} the estimated survival by {abs(self.value):.1f} percentage points"


@dataclass(frozen=True)
class Reasons:
    """Up to three values that raise and three that lower the estimated risk, the largest first.

    ``why_none`` is empty, or says why there is no (further) reason to show.
    """

    raising: tuple[Reason, ...]
    lowering: tuple[Reason, ...]
    why_none: str = ""


def reasons(found: Explanation, most: int = MOST_REASONS) -> Reasons:
    """The reasons that may be named: a sign that at least 90 % of models and draws share, in a stable order."""
    if not found.stable_ranks:
        return Reasons((), (), unstable_words(found))
    sure = found.features[(found.features["sign_share"] >= STABLE_SIGN) & (found.features["value"].abs() >= SMALLEST)]
    sure = sure.reindex(sure["value"].abs().sort_values(ascending=False).index)
    up, down = (
        tuple(_reason(row) for _, row in part.head(most).iterrows()) for part in (sure[sure["value"] < 0],
                                                                                  sure[sure["value"] > 0])
    )  # fmt: skip
    none = "" if up or down else "No stable reason: no single value has the same sign in 90 % of the models and draws."
    return Reasons(up, down, none)


def _reason(row: pd.Series) -> Reason:
    group = str(row["group"])
    name = value_name(str(row["name"])) if group in ("genomics", "clinical") else group_words(group).lower()
    return Reason(name, group, str(row["observed"]), float(row["value"]), float(row["sign_share"]))


def estimate_sentence(found: Explanation) -> str:
    """Who estimates what, and what it is compared with."""
    who = "The model that never saw this patient estimates" if found.models == 1 else (
        f"The {found.models} models that never saw this patient estimate on average"
    )  # fmt: skip
    return (
        f"{who} {percent_of(found.prediction)} {month_words(found.month)}; for the average of the reference patients "
        f"it is {percent_of(found.baseline)}, a difference of {points(found.prediction - found.baseline)} percentage "
        "points."
    )


def groups_sentence(found: Explanation) -> str:
    """What each modality adds or takes, the largest first."""
    groups = found.by_group()
    parts = [f"{group_words(str(row['group'])).lower()} {points(float(row['value']))}" for _, row in groups.iterrows()]
    listed = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    return f"In percentage points of {month_words(found.month)}: {listed}."


def check_words(found: Explanation) -> str:
    """The sum as it is printed under the chart: baseline, values, residual, estimate."""
    total = float(found.features["value"].sum())
    return f"{found.baseline:.3f} {_operand(total)} {_operand(found.residual)} = {found.prediction:.3f}".replace(
        "-", MINUS
    )


def _operand(value: float) -> str:
    """``"+ 3.104"`` or ``"− 0.020"``."""
    return f"{'+' if value >= 0 else MINUS} {abs(value):.3f}"


def check_verdict(found: Explanation) -> str:
    """Whether the parts sum to the displayed estimate, in words."""
    if adds_up(found):
        return "The parts sum to the displayed estimate within 0.000001 percentage points."
    return "The parts do not sum to the displayed estimate: do not use this explanation."


def residual_words(found: Explanation) -> str:
    """How large the method's own error is, and when that is too much."""
    size = f"{abs(found.residual):.2f} percentage points are attributed to no input: the method’s own error"
    if abs(found.residual) > MUCH_RESIDUAL:
        return f"{size}, more than the {MUCH_RESIDUAL:g} that this page accepts. Read the bars as rough."
    return f"{size}."


def unstable_words(found: Explanation) -> str:
    """Why no order of single values is shown."""
    if found.rank_agreement is None:
        return "The order of single values is not shown: one model alone cannot tell whether it is stable."
    return (
        f"The order of single values is not shown: the {found.models} models rank them differently (mean rank "
        f"correlation {found.rank_agreement:.2f}; {ENOUGH_AGREEMENT:g} is needed)."
    ).replace("-0", f"{MINUS}0")


def trust_lines(found: Explanation) -> tuple[tuple[str, str, bool], ...]:
    """What is known of the explanation's own quality: (question, answer, is it good)."""
    attributed = abs(found.residual) <= MUCH_RESIDUAL
    lines = [
        ("Do the parts sum to the estimate?", check_verdict(found), adds_up(found)),
        ("Is little left that no input explains?", residual_words(found), attributed),
    ]
    if found.rank_agreement is None:
        lines.append(("Do the models agree on what matters?", "One model alone cannot say.", False))
    else:
        words = f"Mean rank correlation between {found.models} models: {found.rank_agreement:.2f}"
        lines.append(("Do the models agree on what matters?", f"{words}; {ENOUGH_AGREEMENT:g} is asked for.",
                      found.stable_ranks))  # fmt: skip
    if found.agreement is not None:
        lines.append(("Does another method say the same?", f"{found.check_method}: rank correlation "
                      f"{found.agreement:.2f} over single values.", found.agreement >= ENOUGH_AGREEMENT))  # fmt: skip
    sure = int((found.features["sign_share"] >= STABLE_SIGN).sum())
    words = (
        f"{sure:,} of {plural(len(found.features), 'value')} have the same sign in at least 90 % of models and draws."
    )
    lines.append(("Are there values whose sign is sure?", words, sure > 0))
    return tuple(lines)
