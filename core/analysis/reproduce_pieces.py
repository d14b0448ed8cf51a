"""What the exported scripts share: reading, comparing, and the estimators written out from their formulas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

PYTHON_HEAD = """# @purpose@
# python THIS.py @files@ FIGURE.png        needs numpy, pandas, matplotlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

TITLE = @title@
WORDS = @python_words@  # columns that are words whatever stands in them
EXACT = {"float_precision": "round_trip", "keep_default_na": False, "na_values": [""]}
EXACT["dtype"] = dict.fromkeys(WORDS, str)
numbers = pd.read_csv(sys.argv[1], **EXACT)
largest = 0.0


def apart(own, drawn):
    # a number that only one of the two has is a difference as well
    global largest
    own, drawn = (np.asarray(v, dtype=float) for v in (own, drawn))
    known = np.isfinite(own)
    if (known != np.isfinite(drawn)).any():
        largest = np.inf
    largest = max(largest, float(np.max(np.abs(own - drawn), where=known, initial=0.0)))


"""
PYTHON_TAIL = """figure.savefig(sys.argv[-1], dpi=300, bbox_inches="tight")
print(f"largest difference {largest:.2e}")
sys.exit(0 if largest < 1e-6 else 1)
"""

PYTHON: Mapping[str, str] = {
    "leaving": """def leaving(time, event):
    # at each time: who leaves, who of them with the event, and who was there until then
    at, place = np.unique(time, return_inverse=True)
    left = np.bincount(place)
    return at, left, np.bincount(place, weights=event), left[::-1].cumsum()[::-1]


""",
    "uncensored": """def uncensored(time, event):
    # G(t) = P(not censored by t), right-continuous; of those who leave at one time the events leave first
    at, left, died, risk = leaving(time, event)
    steps = np.append(1.0, np.cumprod(1 - (left - died) / np.maximum(risk - died, 1)))
    return lambda t: steps[np.searchsorted(at, t, side="right")]


""",
    "brier": """def brier(time, event, survival, month, g):
    # squared distance to being alive at the month, weighted by 1/G; nan where somebody's weight is infinite
    dead, alive = event & (time <= month), time > month
    if (g(time[dead]) <= 0).any() or (alive.any() and g(month) <= 0):
        return np.nan
    weight = np.zeros(len(time))
    weight[dead], weight[alive] = 1 / g(time[dead]), 1 / g(month) if alive.any() else 0.0
    return float((weight * (survival - alive) ** 2).mean())


def integrated(months, scores):
    # by trapezoids over the months with a score, divided by their span
    x, y = months[np.isfinite(scores)], scores[np.isfinite(scores)]
    return float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum() / (x[-1] - x[0])) if len(x) > 1 else np.nan


""",
    "auc": """TIED = 1e-8  # risks no further apart count one half


def auc(time, event, risk, fold, month):
    # events by the month, weighted by 1/G(their time), against those event-free after it: pairs within a fold
    g, won, total = uncensored(time, event), 0.0, 0.0
    for k in np.unique(fold):
        case, control = (fold == k) & event & (time <= month), (fold == k) & (time > month)
        if (g(time[case]) <= 0).any():
            return np.nan
        gap, weight = risk[case][:, None] - risk[control], 1 / g(time[case])
        won += weight @ ((gap > TIED) + 0.5 * (np.abs(gap) <= TIED)).sum(axis=1)
        total += weight.sum() * control.sum()
    return won / total if total > 0 else np.nan


""",
    "concordance": """TIED = 1e-8  # risks no further apart count one half


def concordance(time, event, risk, fold, weight):
    # pairs within a fold of which the first has the event while the second is observed and free of it
    won = known = 0.0
    for k in np.unique(fold):
        case, here = (fold == k) & event & (weight != 0), fold == k
        later = (time[here] > time[case][:, None]) | ((time[here] == time[case][:, None]) & ~event[here])
        gap = risk[case][:, None] - risk[here]
        won += weight[case] @ (((gap > TIED) + 0.5 * (np.abs(gap) <= TIED)) * later).sum(axis=1)
        known += weight[case] @ later.sum(axis=1)
    return won / known if known > 0 else np.nan


""",
}

R_HEAD = """# @purpose@
# Rscript THIS.R @files@ FIGURE.pdf
library(survival)
files <- commandArgs(TRUE)
title <- @title@
table_of <- function(path) {
  words <- c(@r_words@)  # columns that are words whatever stands in them
  here <- names(read.csv(path, nrows = 1, check.names = FALSE))
  kinds <- ifelse(here %in% words, "character", NA)
  read.csv(path, check.names = FALSE, na.strings = "", colClasses = kinds, encoding = "UTF-8")
}
numbers <- table_of(files[1])
largest <- 0
apart <- function(own, drawn) {
  # a number that only one of the two has is a difference as well
  gap <- abs(as.vector(own) - as.vector(drawn))
  gap[is.na(gap)] <- ifelse(is.na(as.vector(own)) & is.na(as.vector(drawn)), 0, Inf)[is.na(gap)]
  largest <<- max(largest, gap)
}
(if (capabilities("cairo")) cairo_pdf else pdf)(files[length(files)], width = 8, height = 5)
"""
R_TAIL = """invisible(dev.off())
cat(sprintf("largest difference %.2e\\n", largest))
quit(status = if (largest < 1e-6) 0 else 1)
"""

R: Mapping[str, str] = {
    "uncensored": """uncensored <- function(time, event) {
  # G(t) = P(not censored by t), right-continuous; of those who leave at one time the events leave first, which
  # survfit() has the other way round
  at <- sort(unique(time)); place <- match(time, at)
  left <- tabulate(place, length(at)); died <- tabulate(place[event == 1], length(at))
  steps <- c(1, cumprod(1 - (left - died) / pmax(rev(cumsum(rev(left))) - died, 1)))
  function(t) steps[findInterval(t, at) + 1]
}
""",
    "brier": """brier <- function(time, event, s, month, g) {
  # squared distance to being alive at the month, weighted by 1/G; NA where somebody's weight is infinite
  dead <- event == 1 & time <= month; alive <- time > month
  weight <- ifelse(dead, 1 / g(time), ifelse(alive, 1 / g(month), 0))
  if (any(is.infinite(weight))) NA else mean(weight * (s - alive)^2)
}
integrated <- function(months, scores) {
  # by trapezoids over the months with a score, divided by their span
  x <- months[!is.na(scores)]; y <- scores[!is.na(scores)]
  if (length(x) > 1) sum((y[-1] + y[-length(y)]) / 2 * diff(x)) / (x[length(x)] - x[1]) else NA
}
""",
    "auc": """auc <- function(part, month, tied = 1e-8) {
  # events by the month, weighted by 1/G(their time), against those event-free after it: pairs within a fold
  weight <- 1 / uncensored(part$time, part$event)(part$time); won <- total <- 0
  for (k in unique(part$fold)) {
    case <- which(part$fold == k & part$event == 1 & part$time <= month)
    control <- which(part$fold == k & part$time > month)
    if (any(is.infinite(weight[case]))) return(NA)
    gap <- outer(part$risk[case], part$risk[control], "-")
    won <- won + sum(weight[case] * rowSums((gap > tied) + 0.5 * (abs(gap) <= tied)))
    total <- total + sum(weight[case]) * length(control)
  }
  if (total > 0) won / total else NA
}
""",
    "concordance": """paired <- function(part, weight, tied = 1e-8) {
  # pairs within a fold of which the first has the event while the second is observed and free of it
  won <- known <- 0
  for (k in unique(part$fold)) {
    here <- which(part$fold == k); case <- here[part$event[here] == 1 & weight[here] != 0]
    later <- outer(part$time[case], part$time[here], "<") |
      (outer(part$time[case], part$time[here], "==") & rep(part$event[here] == 0, each = length(case)))
    gap <- outer(part$risk[case], part$risk[here], "-")
    won <- won + sum(weight[case] * rowSums(((gap > tied) + 0.5 * (abs(gap) <= tied)) * later))
    known <- known + sum(weight[case] * rowSums(later))
  }
  if (known > 0) won / known else NA
}
by_package <- function(part) {
  # the same by the package, for which only equal risks are tied
  fit <- concordance(Surv(time, event) ~ risk + strata(fold), part, reverse = TRUE, timefix = FALSE)
  unname(fit$concordance)
}
""",
}


@dataclass(frozen=True)
class About:
    """``purpose`` what the script does, in its first lines · ``title`` of the figure · ``words`` columns of its tables
    that are words whatever stands in them · ``patients`` whether it is given a second table."""

    purpose: str
    title: str
    words: tuple[str, ...] = ()
    patients: bool = True


def python_script(about: About, body: str, pieces: tuple[str, ...] = ()) -> str:
    """A whole Python script: head, the named ``pieces``, ``body``, tail; with code 1 when a number is another one."""
    read = "patients = pd.read_csv(sys.argv[2], **EXACT)\n" if about.patients else ""
    return _headed(PYTHON_HEAD, about) + "".join(PYTHON[p] for p in pieces) + read + body + PYTHON_TAIL


def r_script(about: About, body: str, pieces: tuple[str, ...] = ()) -> str:
    """The same in R."""
    read = "patients <- table_of(files[2])\n" if about.patients else ""
    return _headed(R_HEAD, about) + read + "".join(R[p] for p in pieces) + body + R_TAIL


def quoted(text: str) -> str:
    """A string as both languages write it."""
    return json.dumps(text, ensure_ascii=False)


def _headed(head: str, about: About) -> str:
    texts = {
        "purpose": "\n# ".join(about.purpose.splitlines()),
        "files": "NUMBERS.csv PATIENTS.csv" if about.patients else "NUMBERS.csv",
        "python_words": f"[{', '.join(quoted(w) for w in about.words)}]",
        "r_words": ", ".join(quoted(w) for w in about.words), "title": quoted(about.title),
    }  # fmt: skip
    for key, text in texts.items():
        head = head.replace(f"@{key}@", text)
    return head
