"""Python and R that compute the Brier score and the AUC of a run again from the patients behind them, unnamed."""

from __future__ import annotations

from core.analysis.reproduce_pieces import About, python_script, r_script

_BRIER_PURPOSE = """\
Computes the Brier score of the run and of the Kaplan-Meier null at every month, and both integrated,
again from the patients behind them, compares with the drawn numbers, and draws them."""
_AUC_PURPOSE = """\
Computes the AUC at every horizon again from the patients behind it, compares with the drawn numbers,
and draws it. The intervals come from resampling: they are drawn as exported, not computed again."""

_BRIER = """MONTHS = numbers["month"].to_numpy(dtype=float)
INTEGRATED = @integrated@  # of the page: the run, the null
time, event = patients["time"].to_numpy(), patients["event"].to_numpy() == 1
fold, shown = patients["fold"].to_numpy(), patients["shown"].to_numpy() == 1


def null_survival(train):
    # Kaplan-Meier of the training patients of a fold; nothing beyond their follow-up
    at, _, died, risk = leaving(time[train], event[train])
    steps = np.append(1.0, np.cumprod(1 - died / risk))
    found = steps[np.searchsorted(at, MONTHS, side="right")]
    return np.where((MONTHS > at[-1]) & (steps[-1] > 0), np.nan, found)


null, folds = np.zeros((len(patients), len(MONTHS))), np.unique(fold)
for k in folds:
    null[fold == k] = null_survival(fold != k if len(folds) > 1 else fold == k)
run = patients[[c for c in patients if c.startswith("S(")]].to_numpy(dtype=float)
run, null, time, event = run[shown], null[shown], time[shown], event[shown]
g = uncensored(time, event)
usable = np.isfinite(run).all(axis=0) & np.isfinite(null).all(axis=0)
figure, axis = plt.subplots(figsize=(8, 4.5))
for name, survival, page in (("null", null, INTEGRATED[1]), ("run", run, INTEGRATED[0])):
    own = np.array([brier(time, event, s, m, g) if u else np.nan for s, m, u in zip(survival.T, MONTHS, usable)])
    whole = integrated(MONTHS, np.where(MONTHS < time.max(), own, np.nan))
    own[[(time >= m).sum() < 20 for m in MONTHS]] = np.nan  # not drawn where fewer than 20 are at risk
    print(f"integrated Brier score, {name}: {whole:.10g}")
    apart(own, numbers[name])
    apart(whole, page)
    axis.plot(MONTHS, own, "--" if name == "null" else "-", label=name)
axis.set(title=TITLE, xlabel="months", ylabel="Brier score (lower is better)", ylim=(0, None))
axis.legend(frameon=False)
"""

_BRIER_R = """months <- numbers$month
page <- list(run = @run@, null = @null@)  # integrated, of the page
folds <- unique(patients$fold)
null <- matrix(NA, nrow(patients), length(months))
for (k in folds) {
  # Kaplan-Meier of the training patients of a fold; nothing beyond their follow-up
  train <- if (length(folds) > 1) patients[patients$fold != k, ] else patients
  fit <- survfit(Surv(time, event) ~ 1, train)
  s <- summary(fit, times = months, extend = TRUE)$surv
  s[months > max(train$time) & min(fit$surv) > 0] <- NA
  null[patients$fold == k, ] <- rep(s, each = sum(patients$fold == k))
}
shown <- patients$shown == 1
curves <- list(run = as.matrix(patients[shown, startsWith(names(patients), "S(")]), null = null[shown, , drop = FALSE])
time <- patients$time[shown]; event <- patients$event[shown]
g <- uncensored(time, event)
usable <- colSums(is.na(curves$run) | is.na(curves$null)) == 0
plot(NULL, xlim = range(0, months), ylim = c(0, 1.1 * max(numbers$run, numbers$null, 0.05, na.rm = TRUE)), main = title,
     xlab = "months", ylab = "Brier score (lower is better)")
for (name in names(curves)) {
  own <- sapply(seq_along(months), function(i)
    if (usable[i]) brier(time, event, curves[[name]][, i], months[i], g) else NA)
  whole <- integrated(months, ifelse(months < max(time), own, NA))
  own[sapply(months, function(m) sum(time >= m) < 20)] <- NA  # not drawn where fewer than 20 are at risk
  cat(sprintf("integrated Brier score, %s: %.10g\\n", name, whole))
  apart(own, numbers[[name]])
  apart(whole, page[[name]])
  lines(months, own, lwd = 2, lty = if (name == "null") 2 else 1)
}
legend("topleft", legend = names(curves), lty = 1:2, lwd = 2, bty = "n")
"""

_AUC = """own = []
for month in numbers["month"]:
    part = patients[patients["month"] == month]
    time, event, risk, fold = (part[c].to_numpy() for c in ("time", "event", "risk", "fold"))
    own.append(auc(time, event == 1, risk, fold, month) if len(part) else np.nan)
    print(f"AUC at month {month:g}: {own[-1]:.10g}")
apart(own, numbers["auc"])
figure, axis = plt.subplots(figsize=(6, 4.5))
axis.plot(numbers["month"], own, "o-")
axis.vlines(numbers["month"], numbers["low"], numbers["high"])
axis.axhline(0.5, color="grey", linestyle=":")
axis.set(title=TITLE, xlabel="months", ylabel="AUC(t), pairs within a fold", ylim=(0.3, 1))
"""

_AUC_R = """own <- sapply(numbers$month, function(month) {
  part <- patients[patients$month == month, ]
  if (nrow(part)) auc(part, month) else NA
})
cat(sprintf("AUC at month %g: %.10g\\n", numbers$month, own), sep = "")
apart(own, numbers$auc)
plot(numbers$month, own, type = "b", ylim = c(0.3, 1), main = title, xlab = "months",
     ylab = "AUC(t), pairs within a fold")
suppressWarnings(segments(numbers$month, as.numeric(numbers$low), numbers$month, as.numeric(numbers$high)))
abline(h = 0.5, lty = 3)
"""


def brier_python(title: str, ibs: float | None, ibs_null: float | None) -> str:
    """Python for the Brier figure; ``ibs``, ``ibs_null`` are the integrated scores the page states, None where none."""
    page = ", ".join('float("nan")' if v is None else repr(float(v)) for v in (ibs, ibs_null))
    body = _BRIER.replace("@integrated@", f"({page})")
    return python_script(About(_BRIER_PURPOSE, title), body, ("leaving", "uncensored", "brier"))


def brier_r(title: str, ibs: float | None, ibs_null: float | None) -> str:
    """R for the same."""
    run, null = ("NA" if v is None else repr(float(v)) for v in (ibs, ibs_null))
    return r_script(
        About(_BRIER_PURPOSE, title), _BRIER_R.replace("@run@", run).replace("@null@", null), ("uncensored", "brier")
    )


def auc_python(title: str) -> str:
    """Python for the AUC figure."""
    return python_script(About(_AUC_PURPOSE, title), _AUC, ("leaving", "uncensored", "auc"))


def auc_r(title: str) -> str:
    """R for the AUC figure."""
    return r_script(About(_AUC_PURPOSE, title), _AUC_R, ("uncensored", "auc"))
