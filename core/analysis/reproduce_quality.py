"""Python and R that compute a calibration figure or a decision curve again from the patients behind it, unnamed."""

from __future__ import annotations

import json

_PYTHON_HEAD = """# Computes the figure again from the patients behind it, compares with its numbers, and draws it.
# python THIS.py NUMBERS.csv PATIENTS.csv FIGURE.png        needs numpy, pandas, matplotlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

TITLE = @title@
Z = 1.959963984540054
numbers, patients = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2])


def survival_at(time, event, month):
    # Kaplan-Meier S(month) with its 95 % interval on the log(-log) scale
    survival, spread = 1.0, 0.0
    for t in np.unique(time[event & (time <= month)]):
        risk, died = (time >= t).sum(), (event & (time == t)).sum()
        survival *= 1 - died / risk
        spread += died / (risk * (risk - died)) if risk > died else 0.0
    if not 0 < survival < 1:
        return survival, np.nan, np.nan
    width = np.exp(Z * np.sqrt(spread) / -np.log(survival))
    return survival, survival**width, survival ** (1 / width)


def apart(own, drawn):
    gap = np.abs(np.asarray(own, dtype=float) - np.asarray(drawn, dtype=float))
    return float(np.nanmax(gap)) if np.isfinite(gap).any() else 0.0


"""
_PYTHON_TAIL = """figure.savefig(sys.argv[3], dpi=300, bbox_inches="tight")
print(f"largest difference {largest:.2e}")
sys.exit(0 if largest < 1e-6 else 1)
"""
_PYTHON = {
    "calibration": """def slope(time, event, predicted, month):
    # Cox coefficient of log(-log S), follow-up ending at the month: Newton's method, Efron's ties
    x = np.log(-np.log(np.clip(predicted, 1e-6, 1 - 1e-6)))
    x, event, time, beta = x - x.mean(), event & (time <= month), np.minimum(time, month), 0.0
    for _ in range(50):
        gradient = information = 0.0
        for t in np.unique(time[event]):
            risk, died = time >= t, event & (time == t)
            share = np.arange(died.sum()) / died.sum()
            weight = np.exp(beta * x)
            sums = [(weight * x**k)[risk].sum() - share * (weight * x**k)[died].sum() for k in range(3)]
            gradient += x[died].sum() - (sums[1] / sums[0]).sum()
            information += (sums[2] / sums[0] - (sums[1] / sums[0]) ** 2).sum()
        beta += gradient / information
        if abs(gradient / information) < 1e-12:
            break
    return beta


SLOPES = @slopes@
largest = 0.0
figure, axis = plt.subplots(figsize=(6, 6))
axis.plot([0, 1], [0, 1], ":", color="grey")
for month, part in patients.groupby("month"):
    drawn = numbers[numbers["month"] == month]
    own = []
    for _, group in part.groupby("group"):
        seen = survival_at(group["time"].to_numpy(), group["event"].to_numpy() == 1, month)
        own.append((group["predicted"].mean(), *seen))
    own = np.array(own)
    largest = max(largest, apart(own[:, :2], drawn[["predicted", "observed"]]))
    inside = np.isfinite(own[:, 2])
    largest = max(largest, apart(own[inside, 2:], drawn[["low", "high"]][inside]))
    found = slope(part["time"].to_numpy(), part["event"].to_numpy() == 1, part["predicted"].to_numpy(), month)
    print(f"month {month:g}: calibration slope {found:.10g}")
    if SLOPES.get(f"{month:g}") is not None:
        largest = max(largest, apart(found, SLOPES[f"{month:g}"]))
    axis.plot(own[:, 0], own[:, 1], "o-", label=f"{month / 12:g} y")
    axis.vlines(own[:, 0], own[:, 2], own[:, 3])
axis.set(title=TITLE, xlabel="estimated survival", ylabel="observed survival", xlim=(0, 1), ylim=(0, 1))
axis.legend(frameon=False)
""",
    "decision": """MONTH = @month@
time, event = patients["time"].to_numpy(), patients["event"].to_numpy() == 1
rules = {name: patients[name].to_numpy() for name in patients.columns if name not in ("time", "event")}
rules["all"] = np.ones(len(patients))
largest = 0.0
figure, axis = plt.subplots(figsize=(9, 4.5))
for name, chance in rules.items():
    drawn = numbers[numbers["rule"] == name]
    own = []
    for threshold in drawn["threshold"]:
        flagged = chance >= threshold
        if not flagged.any():
            own.append(0.0)
            continue
        survival = survival_at(time[flagged], event[flagged], MONTH)[0]
        share = flagged.mean()
        own.append((1 - survival) * share - survival * share * threshold / (1 - threshold))
    gap = apart(own, drawn["net benefit"])
    print(f"net benefit, {name}: {len(own)} thresholds, apart by {gap:.2e}")
    largest = max(largest, gap)
    axis.plot(drawn["threshold"], own, label=name)
axis.axhline(0, color="grey", label="none")
axis.set(title=TITLE, xlabel="threshold chance of the event", ylabel="net benefit", ylim=(-0.05, None))
axis.legend(frameon=False)
""",
}

_R_HEAD = """# Computes the figure again from the patients behind it with the package survival, compares with its drawn
# numbers, and draws it.
# Rscript THIS.R NUMBERS.csv PATIENTS.csv FIGURE.pdf
library(survival)
files <- commandArgs(TRUE)
numbers <- read.csv(files[1], check.names = FALSE)
patients <- read.csv(files[2], check.names = FALSE)
largest <- 0
apart <- function(own, drawn) {
  gap <- abs(own - drawn)
  largest <<- max(largest, gap[is.finite(gap)])
}
(if (capabilities("cairo")) cairo_pdf else pdf)(files[3], width = 8, height = 5)
"""
_R_TAIL = """invisible(dev.off())
cat(sprintf("largest difference %.2e\\n", largest))
quit(status = if (largest < 1e-6) 0 else 1)
"""
_R = {
    "calibration": """slopes <- list(@slopes@)
plot(0:1, 0:1, type = "l", lty = 3, main = @title@, xlab = "estimated survival", ylab = "observed survival")
for (month in unique(patients$month)) {
  part <- patients[patients$month == month, ]
  drawn <- numbers[numbers$month == month, ]
  own <- t(sapply(split(part, part$group), function(rows) {
    at <- summary(survfit(Surv(time, event) ~ 1, rows, conf.type = "log-log"), times = month, extend = TRUE)
    c(mean(rows$predicted), at$surv, at$lower, at$upper)
  }))
  apart(own[, 1:2], as.matrix(drawn[, c("predicted", "observed")]))
  inside <- own[, 2] > 0 & own[, 2] < 1
  apart(own[inside, 3:4], as.matrix(drawn[inside, c("low", "high")]))
  part$x <- log(-log(pmin(pmax(part$predicted, 1e-6), 1 - 1e-6)))
  fit <- coxph(Surv(pmin(time, month), event == 1 & time <= month) ~ x, part)
  cat(sprintf("month %g: calibration slope %.10g\\n", month, coef(fit)))
  if (!is.null(slopes[[sprintf("%g", month)]])) apart(coef(fit), slopes[[sprintf("%g", month)]])
  lines(own[, 1], own[, 2], type = "b")
  segments(own[, 1], own[, 3], own[, 1], own[, 4])
}
""",
    "decision": """month <- @month@
patients[["all"]] <- 1
rules <- setdiff(names(patients), c("time", "event"))
shown <- numbers[numbers$rule %in% rules, ]
plot(NULL, xlim = range(shown$threshold), ylim = c(-0.05, max(shown[["net benefit"]], na.rm = TRUE)), main = @title@,
     xlab = "threshold chance of the event", ylab = "net benefit")
abline(h = 0, col = "grey")
for (rule in rules) {
  drawn <- numbers[numbers$rule == rule, ]
  own <- sapply(drawn$threshold, function(threshold) {
    flagged <- patients[patients[[rule]] >= threshold, ]
    if (!nrow(flagged)) return(0)
    s <- summary(survfit(Surv(time, event) ~ 1, flagged), times = month, extend = TRUE)$surv
    share <- nrow(flagged) / nrow(patients)
    (1 - s) * share - s * share * threshold / (1 - threshold)
  })
  apart(own, drawn[["net benefit"]])
  cat(sprintf("net benefit, %s: %d thresholds\\n", rule, length(own)))
  lines(drawn$threshold, own, lwd = 2, col = match(rule, rules))
}
legend("topright", legend = rules, col = seq_along(rules), lwd = 2, bty = "n")
""",
}


def calibration_python(title: str, slopes: dict[float, float | None]) -> str:
    """Python for the calibration figure; ``slopes`` month → the page's calibration slope, None where not estimable."""
    body = _PYTHON["calibration"].replace("@slopes@", repr({f"{m:g}": v for m, v in slopes.items()}))
    return _titled(_PYTHON_HEAD + body + _PYTHON_TAIL, title)


def calibration_r(title: str, slopes: dict[float, float | None]) -> str:
    """R for the calibration figure."""
    known = ", ".join(f"`{m:g}` = {v!r}" for m, v in slopes.items() if v is not None)
    return _titled(_R_HEAD + _R["calibration"].replace("@slopes@", known) + _R_TAIL, title)


def decision_python(title: str, month: float) -> str:
    """Python for the net benefit of every rule; its bootstrap intervals are not drawn again."""
    return _titled(_PYTHON_HEAD + _PYTHON["decision"].replace("@month@", repr(month)) + _PYTHON_TAIL, title)


def decision_r(title: str, month: float) -> str:
    """R for the net benefit of every rule."""
    return _titled(_R_HEAD + _R["decision"].replace("@month@", repr(month)) + _R_TAIL, title)


def _titled(code: str, title: str) -> str:
    return code.replace("@title@", json.dumps(title, ensure_ascii=False))
