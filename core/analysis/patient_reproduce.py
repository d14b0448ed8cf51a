"""Python and R that draw an exported figure of a patient again from its CSV, which names nobody.

The observed course of comparable patients is computed again and compared; what a model estimated is drawn as exported.
"""

from __future__ import annotations

import json

from core.analysis.reproduce_pieces import About, python_script, quoted, r_script

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
_COURSE_PURPOSE = """\
Computes the observed course of comparable patients (Kaplan-Meier) with its 95 % interval again from how many were at
risk and had the event, compares with the exported numbers, and draws the figure. The estimate and its spread over the
models are drawn as exported."""
_COURSE = """Z, STATE, MONTH = 1.959963984540054, @state@, @month@
seen = numbers[numbers["curve"] == "comparable patients"]
if len(seen):
    risk, died = seen["at_risk"].to_numpy(), seen["events"].to_numpy()
    survival = np.cumprod(1 - died / np.maximum(risk, 1))
    spread = np.cumsum(np.where(risk > died, died / np.maximum(risk * (risk - died), 1), 0.0))
    inside = (survival > 0) & (survival < 1)
    low, high = (np.where(survival >= 1, 1.0, np.nan) for _ in range(2))
    width = np.exp(Z * np.sqrt(spread[inside]) / -np.log(survival[inside]))
    low[inside], high[inside] = survival[inside] ** width, survival[inside] ** (1 / width)
    apart(survival, seen["S"])
    apart(low, seen["low"])
    apart(high, seen["high"])
own = numbers[numbers["curve"] == "estimate"]
figure, axis = plt.subplots(figsize=(9, 5))
axis.fill_between(own["month"], own["low"], own["high"], color="#0B5D66", alpha=0.16, linewidth=0)
axis.plot(own["month"], own["S"], color="#0B5D66", linewidth=3, label="estimate")
if len(seen):
    axis.step(seen["month"], survival, where="post", color="#55676B", linestyle="--", label="comparable patients")
axis.plot([MONTH], own.loc[own["month"] == MONTH, "S"], "o", color="#0B5D66", markerfacecolor="white", markersize=9)
axis.set(title=TITLE, ylim=(0, 1.02), xlabel="months", ylabel=STATE)
axis.legend(frameon=False)
"""
_COURSE_R = """own <- numbers[numbers$curve == "estimate", ]
seen <- numbers[numbers$curve == "comparable patients", ]
plot(own$month, own$S, type = "l", lwd = 3, xlim = c(0, max(numbers$month)), ylim = c(0, 1.02), main = title,
     xlab = "months", ylab = @state@)
if (nrow(seen)) {
  risk <- seen$at_risk; died <- seen$events
  survival <- cumprod(1 - died / pmax(risk, 1))
  spread <- cumsum(ifelse(risk > died, died / (risk * (risk - died)), 0))
  width <- exp(qnorm(0.975) * sqrt(spread) / -log(survival))
  inside <- survival > 0 & survival < 1
  apart(survival, seen$S)
  apart(ifelse(inside, survival^width, ifelse(survival >= 1, 1, NA)), seen$low)
  apart(ifelse(inside, survival^(1 / width), ifelse(survival >= 1, 1, NA)), seen$high)
  lines(seen$month, survival, type = "s", lty = 2)
}
points(@month@, own$S[own$month == @month@], pch = 1, cex = 1.5)
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
    body = _COURSE.replace("@state@", quoted(state)).replace("@month@", repr(float(month)))
    return python_script(About(_COURSE_PURPOSE, title, patients=False), body)


def course_r(title: str, state: str, month: float) -> str:
    """R for the same."""
    body = _COURSE_R.replace("@state@", quoted(state)).replace("@month@", repr(float(month)))
    return r_script(About(_COURSE_PURPOSE, title, patients=False), body)


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
