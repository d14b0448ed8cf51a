"""Python that draws an exported figure of a patient again from its CSV, which names nobody."""

from __future__ import annotations

import json

_HEAD = """# Draws the exported figure again.
# python THIS.py NUMBERS.csv FIGURE.png        needs pandas, matplotlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

table = pd.read_csv(sys.argv[1])
figure, axis = plt.subplots(figsize=(9, 5))
"""
_TAIL = """axis.set(title=@title@)
figure.savefig(sys.argv[2], dpi=300, bbox_inches="tight")
"""
_COURSE = """own = table[table["curve"] == "estimate"]
axis.fill_between(own["month"], own["low"], own["high"], color="#0B5D66", alpha=0.16, linewidth=0)
axis.plot(own["month"], own["S"], color="#0B5D66", linewidth=3, label="estimate")
observed = table[table["curve"] == "comparable patients"]
axis.step(observed["month"], observed["S"], where="post", color="#55676B", linestyle="--", label="comparable patients")
axis.plot([@month@], own.loc[own["month"] == @month@, "S"], "o", color="#0B5D66", markerfacecolor="white", markersize=9)
axis.set(ylim=(0, 1.02), xlabel="months", ylabel=@state@)
axis.legend(frameon=False)
"""
_COUNTED = """of_hundred = pd.to_numeric(table["Of 100"].astype(str).str.lstrip("<> "), errors="coerce")
axis.barh(table["After"], of_hundred, color="#9DBFC3")
axis.invert_yaxis()
axis.set(xlim=(0, 100), xlabel="of 100, " + @state@)
"""
_PLACE = """axis.hist(table["S"], bins=25, range=(0, 1), color="#C9D6D8")
axis.axvline(@own@, color="#0B5D66", linewidth=3)
axis.set(xlim=(0, 1), xlabel="estimated to be " + @state@)
"""


def course_code(title: str, state: str, month: float) -> str:
    """The curve with its spread, the comparable patients and the shown month."""
    return _filled(_COURSE, title=title, state=state, month=month)


def counted_code(title: str, state: str) -> str:
    """The numbers at each horizon, of 100."""
    return _filled(_COUNTED, title=title, state=state)


def place_code(title: str, state: str, own: float) -> str:
    """The other patients' estimates and the patient's own among them."""
    return _filled(_PLACE, title=title, state=state, own=own)


def _filled(body: str, **words: object) -> str:
    text = _HEAD + body + _TAIL
    for name, value in words.items():
        text = text.replace(f"@{name}@", json.dumps(value))
    return text
