"""The steps from the average estimate to a patient's: groups first, families and single values on demand.

baseline + all values + residual = prediction holds at every depth, because what is not shown on its own is summed into
a row that says how many values it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import pandas as pd

from core.analysis.points import group_words
from core.cohort.genomics import symbol_of
from core.cohort.wording import plural
from core.results.explanation import FAMILY_SEPARATOR, Explanation

MOST_ROWS = 12
"""Single values or families shown on their own; the rest is one row."""
TOLERANCE = 1e-6
_ORDER = {"group": 0, "rest": 2}
"""What is not opened first, then what is, then the sum of what is too small to stand alone."""
STABLE_SIGN = 0.9
"""Share of the models and draws that must agree on a sign before a value is called a reason."""


class StepKind(StrEnum):
    """What a row of the waterfall is."""

    BASELINE = "baseline"
    GROUP = "group"
    FAMILY = "family"
    VALUE = "value"
    REST = "rest"
    RESIDUAL = "residual"
    PREDICTION = "prediction"


@dataclass(frozen=True)
class Depth:
    """How deep the waterfall is opened: nothing, one ``group``, or one ``family`` of it (None = not chosen)."""

    group: str = ""
    family: str | None = None


@dataclass(frozen=True)
class Step:
    """One row. ``value`` percentage points (of baseline and prediction: percent survival) from ``start`` to ``end``.

    ``count`` inputs it sums · ``std`` over the models and ``sign_share`` for a single value, else None · ``key`` the
    group, family or input it stands for · ``check`` what the cross-check says of the same, None where it was not asked.
    """

    name: str
    kind: StepKind
    value: float
    count: int = 0
    key: str = ""
    observed: str = ""
    std: float | None = None
    sign_share: float | None = None
    check: float | None = None
    start: float = 0.0
    end: float = 0.0


def waterfall_steps(found: Explanation, depth: Depth | None = None, most: int = MOST_ROWS) -> tuple[Step, ...]:
    """Rows from the baseline to the prediction, the residual last but one, the largest effects first.

    Parameters
    ----------
    depth : Depth, optional
        A group opens into its families (genes) or its values; a family into its genes.
    most : int
        Rows the opened part may have; what is left is summed into one.
    """
    depth = depth or Depth()
    rows = sorted(_rows(found, depth, most), key=lambda r: (_ORDER.get(r.kind, 1), -abs(r.value)))
    at = found.baseline
    steps = [Step("Average of the reference patients", StepKind.BASELINE, at, found.background, end=at)]
    for row in [*rows, Step("Not attributed (residual)", StepKind.RESIDUAL, found.residual)]:
        end = at + row.value
        steps.append(replace(row, start=at, end=end))
        at = end
    steps.append(Step("This patient’s estimate", StepKind.PREDICTION, found.prediction, end=found.prediction))
    return tuple(steps)


def difference(found: Explanation) -> float:
    """|baseline + Σ values + residual − prediction| in percentage points: what the shown check line checks."""
    total = found.baseline + float(found.features["value"].sum()) + found.residual
    return float(abs(total - found.prediction))


def adds_up(found: Explanation) -> bool:
    """Whether the parts sum to the displayed estimate within 1e-6 percentage points."""
    return difference(found) <= TOLERANCE


def _rows(found: Explanation, depth: Depth, most: int) -> list[Step]:
    rows: list[Step] = []
    for group, part in found.features.groupby("group", sort=False):
        name = str(group)
        if name != depth.group:
            total = float(part["value"].sum())
            rows.append(Step(group_words(name), StepKind.GROUP, total, len(part), name, check=_checked(part)))
        elif depth.family is not None:
            rows += _of_family(part, name, depth.family, most)
        elif (part["family"] != "").any():
            rows += _families(part, name, most)
        else:
            rows += _values(part, most, f"{group_words(name).lower()}")
    return rows


def _families(part: pd.DataFrame, group: str, most: int) -> list[Step]:
    """A gene of several families counts in each in equal parts, so that the families sum to the group."""
    names = part["family"].str.split(FAMILY_SEPARATOR, regex=False)
    parts = part.assign(family=names, value=part["value"] / names.str.len(), check=part["check"] / names.str.len())
    grouped = parts.explode("family").groupby("family", sort=False)
    rows = [
        Step(str(name) or f"{group_words(group)} without a family", StepKind.FAMILY, float(inside["value"].sum()),
             len(inside), str(name), check=_checked(inside))
        for name, inside in grouped
    ]  # fmt: skip
    rows.sort(key=lambda r: -abs(r.value))
    rest = rows[most:]
    if rest:
        words = plural(len(rest), "other family", "other families")
        rows[most:] = [Step(words, StepKind.REST, sum(r.value for r in rest), sum(r.count for r in rest))]
    return rows


def _of_family(part: pd.DataFrame, group: str, family: str, most: int) -> list[Step]:
    mine = part["family"].str.split(FAMILY_SEPARATOR, regex=False).map(lambda names: family in names).astype(bool)
    inside, others = part[mine], part[~mine]
    rows = _values(inside, most, f"of {family}")
    if len(others):
        rows.append(
            Step(f"All other {group_words(group).lower()}", StepKind.GROUP, float(others["value"].sum()), len(others),
                 group, check=_checked(others))
        )  # fmt: skip
    return rows


def _values(part: pd.DataFrame, most: int, whose: str) -> list[Step]:
    ordered = part.reindex(part["value"].abs().sort_values(ascending=False).index)
    shown = [
        Step(value_name(str(row["name"])), StepKind.VALUE, float(row["value"]), 1, str(row["name"]),
             str(row["observed"]), float(row["std"]), float(row["sign_share"]), _checked(ordered.loc[[at]]))
        for at, row in ordered.iloc[:most].iterrows()
    ]  # fmt: skip
    rest = ordered.iloc[most:]
    if len(rest):
        shown.append(
            Step(f"{plural(len(rest), 'other')} {whose}", StepKind.REST, float(rest["value"].sum()), len(rest))
        )
    return shown


def _checked(rows: pd.DataFrame) -> float | None:
    """The cross-check's sum over these rows; None when it was not asked about each of them."""
    return None if rows["check"].isna().any() else float(rows["check"].sum())


_KIND_WORDS = {"rnaseq": "expression", "cnv": "copy number", "mut": "mutation"}


def value_name(name: str) -> str:
    """An input in words: ``"TP53 expression"`` for ``"TP53_rnaseq"``; underscores of other names become spaces."""
    symbol, kind = symbol_of(name), name.rpartition("_")[2]
    return f"{symbol} {_KIND_WORDS[kind]}" if kind in _KIND_WORDS else name.replace("_", " ").replace("=", ": ")


def steps_table(steps: tuple[Step, ...]) -> pd.DataFrame:
    """What the waterfall draws, one row a step; the numbers are not rounded."""
    return pd.DataFrame(
        [
            {
                "step": s.name, "kind": s.kind.value, "value": s.value, "from": s.start, "to": s.end,
                "inputs": s.count, "patient's value": s.observed, "std over models": s.std,
                "share with this sign": s.sign_share, "cross-check": s.check,
            }
            for s in steps
        ]
    )  # fmt: skip
