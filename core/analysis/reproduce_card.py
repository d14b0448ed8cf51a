"""Python that draws the model card's exported figures again from their CSV."""

from __future__ import annotations

import json

_HEAD = """# Draws the figure again from its exported numbers.
# python THIS.py NUMBERS.csv FIGURE.png        needs pandas, matplotlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

TITLE = @title@
numbers = pd.read_csv(sys.argv[1])
"""

_BODIES = {
    "decision": """figure, axis = plt.subplots(figsize=(9, 4.5))
for rule, part in numbers[~numbers["rule"].str.contains("minus")].groupby("rule", sort=False):
    (line,) = axis.plot(part["threshold"], part["net benefit"], label=rule)
    if rule == "this run":
        axis.fill_between(part["threshold"], part["low"], part["high"], color=line.get_color(), alpha=0.15)
axis.set(title=TITLE, xlabel="threshold chance of the event", ylabel="net benefit", ylim=(-0.05, None))
axis.legend(frameon=False)
""",
    "groups": """names = (numbers["variable"] + " " + numbers["level"].fillna("").astype(str)).str.strip()
value, low, high = (numbers[c] for c in COLUMNS)
figure, axis = plt.subplots(figsize=(8, 0.32 * len(numbers) + 1.5))
axis.errorbar(value, range(len(numbers)), xerr=[value - low, high - value], fmt="o")
axis.set(yticks=range(len(numbers)), yticklabels=names, title=TITLE, xlabel=COLUMNS[0])
axis.axvline(LINE, color="grey", linestyle=":")
axis.invert_yaxis()
""",
    "calibration": """figure, axis = plt.subplots(figsize=(6, 6))
axis.plot([0, 1], [0, 1], ":", color="grey")
for month, part in numbers.groupby("month"):
    error = [part["observed"] - part["low"], part["high"] - part["observed"]]
    axis.errorbar(part["predicted"], part["observed"], yerr=error, fmt="o-", label=f"{month / 12:g} y")
axis.set(title=TITLE, xlabel="estimated survival", ylabel="observed survival", xlim=(0, 1), ylim=(0, 1))
axis.legend(frameon=False)
""",
    "brier": """figure, axis = plt.subplots(figsize=(8, 4.5))
axis.plot(numbers["month"], numbers["null"], "--", color="grey", label="Kaplan-Meier null")
axis.plot(numbers["month"], numbers["run"], label="this run")
axis.set(title=TITLE, xlabel="months", ylabel="Brier score (lower is better)", ylim=(0, None))
axis.legend(frameon=False)
""",
}
_TAIL = 'figure.savefig(sys.argv[2], dpi=300, bbox_inches="tight")\n'
_GROUPS = {"ranking": ("c", 0.5), "level": ("difference", 0.0)}


def card_code(kind: str, title: str) -> str:
    """A Python script for ``"decision"``, ``"calibration"``, ``"brier"``, ``"ranking"`` or ``"level"``."""
    head = _HEAD.replace("@title@", json.dumps(title, ensure_ascii=False))
    if kind in _GROUPS:
        column, line = _GROUPS[kind]
        names = (column, f"{column} low", f"{column} high")
        return f"{head}COLUMNS, LINE = {names!r}, {line}\n{_BODIES['groups']}{_TAIL}"
    return head + _BODIES[kind] + _TAIL
