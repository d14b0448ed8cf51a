"""Python and R that compute a metric of compared runs, and its differences, again from the patients behind it."""

from __future__ import annotations

from core.analysis.reproduce_pieces import About, python_script, quoted, r_script

_PURPOSE = """\
Computes the metric of every run again from the same patients, unnamed, and its difference to the first run,
compares with the drawn numbers, and draws them. The intervals come from resampling the patients: they are drawn as
exported, not computed again; the middle of each difference is the difference of the two values."""

_SCORES = {
    "harrell_c": """def score(part):
    time, event, risk, fold = (part[c].to_numpy() for c in ("time", "event", "risk", "fold"))
    return concordance(time, event == 1, risk, fold, np.ones(len(part)))
""",
    "uno_c": """MONTH = @month@  # events before it count, weighted by 1/G(their time)^2


def score(part):
    time, event, risk, fold = (part[c].to_numpy() for c in ("time", "event", "risk", "fold"))
    counted = (event == 1) & (time < MONTH)
    left = uncensored(time, event == 1)(time)
    if (left[counted] <= 0).any():
        return np.nan
    return concordance(time, event == 1, risk, fold, np.where(counted, 1 / np.where(counted, left, 1.0) ** 2, 0.0))
""",
    "auc": """MONTH = @month@


def score(part):
    time, event, risk, fold = (part[c].to_numpy() for c in ("time", "event", "risk", "fold"))
    return auc(time, event == 1, risk, fold, MONTH)
""",
    "ibs": """COLUMNS = [c for c in patients if c.startswith("S(")]
MONTHS = np.array([float(c[2:-1]) for c in COLUMNS])


def score(part):
    time, event, survival = part["time"].to_numpy(), part["event"].to_numpy() == 1, part[COLUMNS].to_numpy()
    g = uncensored(time, event)
    return integrated(MONTHS, np.array([brier(time, event, s, m, g) for s, m in zip(survival.T, MONTHS)]))
""",
}
_PIECES = {
    "harrell_c": ("concordance",), "uno_c": ("leaving", "uncensored", "concordance"),
    "auc": ("leaving", "uncensored", "auc"), "ibs": ("leaving", "uncensored", "brier"),
}  # fmt: skip
_BODY = """

own = np.array([score(patients[patients["run"] == run]) for run in numbers["run"]])
difference = np.append(np.nan, own[1:] - own[0])
for name, value, gap in zip(numbers["name"], own, difference):
    print(f"{name}: {value:.10g}, minus the first {gap:.10g}")
apart(own, numbers["value"])
apart(difference, numbers["difference"])
figure, axes = plt.subplots(1, 2, figsize=(11, 0.5 * len(numbers) + 1.6), sharey=True)
for axis, drawn, low, high, words in ((axes[0], own, "low", "high", @axis@),
                                      (axes[1], difference, "difference_low", "difference_high", "minus the first")):
    axis.hlines(range(len(numbers)), numbers[low], numbers[high])
    axis.plot(drawn, range(len(numbers)), "s")
    axis.set(yticks=range(len(numbers)), yticklabels=numbers["name"], xlabel=words)
axes[1].axvline(0, color="grey", linestyle=":")
axes[0].invert_yaxis()
figure.suptitle(TITLE)
"""

_SCORES_R = {
    "harrell_c": """score <- function(part) {
  cat(sprintf("by the package survival %.10g\\n", by_package(part)))
  paired(part, rep(1, nrow(part)))
}
""",
    "uno_c": """month <- @month@  # events before it count, weighted by 1/G(their time)^2
score <- function(part) {
  weight <- ifelse(part$event == 1 & part$time < month, 1 / uncensored(part$time, part$event)(part$time)^2, 0)
  if (any(is.infinite(weight))) NA else paired(part, weight)
}
""",
    "auc": """score <- function(part) auc(part, @month@)
""",
    "ibs": """columns <- names(patients)[startsWith(names(patients), "S(")]
months <- as.numeric(sub("^S[(](.*)[)]$", "\\\\1", columns))
score <- function(part) {
  g <- uncensored(part$time, part$event)
  integrated(months, sapply(seq_along(months), function(i)
    brier(part$time, part$event, part[[columns[i]]], months[i], g)))
}
""",
}
_BODY_R = """own <- sapply(numbers$run, function(run) score(patients[patients$run == run, ]))
difference <- c(NA, own[-1] - own[1])
cat(sprintf("%s: %.10g, minus the first %.10g\\n", numbers$name, own, difference), sep = "")
apart(own, numbers$value)
apart(difference, numbers$difference)
par(mfrow = c(1, 2))
place <- rev(seq_along(own))
for (side in 1:2) {
  drawn <- list(own, difference)[[side]]
  limits <- numbers[, list(c("low", "high"), c("difference_low", "difference_high"))[[side]]]
  range <- range(drawn, unlist(limits), if (side == 2) 0, na.rm = TRUE, finite = TRUE)
  dotchart(drawn[place], numbers$name[place], xlim = range, main = if (side == 1) title else "",
           xlab = c(@axis@, "minus the first")[side], cex = 0.8)
  segments(as.numeric(limits[place, 1]), seq_along(own), as.numeric(limits[place, 2]), seq_along(own))
}
"""


def forest_python(title: str, label: str, key: str, month: float) -> str:
    """Python for one metric.

    Parameters
    ----------
    label, key : str
        Of the metric: ``"harrell_c"``, ``"uno_c"``, ``"ibs"`` or ``"auc:36"``.
    month : float
        Of an AUC; up to which Uno's C counts.
    """
    kind = key.partition(":")[0]
    return python_script(
        About(_PURPOSE, title, ("run", "name")), _filled(_SCORES[kind] + _BODY, label, month), _PIECES[kind]
    )


def forest_r(title: str, label: str, key: str, month: float) -> str:
    """R for the same."""
    kind = key.partition(":")[0]
    pieces = tuple(p for p in _PIECES[kind] if p != "leaving")
    return r_script(About(_PURPOSE, title, ("run", "name")), _filled(_SCORES_R[kind] + _BODY_R, label, month), pieces)


def _filled(body: str, label: str, month: float) -> str:
    return body.replace("@month@", repr(float(month))).replace("@axis@", quoted(label))
