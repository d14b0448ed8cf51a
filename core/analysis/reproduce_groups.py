"""Python and R that compute ranking and level of every group of patients again from the patients behind them."""

from __future__ import annotations

from core.analysis.reproduce_pieces import About, python_script, r_script

_PURPOSE = """\
Computes Harrell's C, the mean estimate, the observed survival with its 95 % interval and their difference of
every group again from its patients, unnamed, compares with the exported numbers, and draws the figure.
The intervals of C come from resampling: they are drawn as exported, not computed again. Of groups too small to judge
(fewer than 20 patients or 5 events) nothing is computed and no patient is exported."""

_PYTHON = """MONTH, COLUMN, LINE = @month@, @column@, @line@
Z = 1.959963984540054


def survival_at(time, event):
    # Kaplan-Meier S(MONTH) with its 95 % interval on the log(-log) scale; 1 to 1 where nothing has happened yet
    at, _, died, risk = leaving(time, event)
    died, risk = died[at <= MONTH], risk[at <= MONTH]
    survival = float(np.prod(1 - died / risk))
    if survival > 0 and MONTH > at[-1]:
        return np.nan, np.nan, np.nan
    if not 0 < survival < 1:
        return survival, *((1.0, 1.0) if survival else (np.nan, np.nan))
    spread = (died / (risk * (risk - died))).sum()
    width = np.exp(Z * np.sqrt(spread) / -np.log(survival))
    return survival, survival**width, survival ** (1 / width)


def numbers_of(part):
    if not len(part):
        return [np.nan] * 8
    time, event, risk, fold = (part[c].to_numpy() for c in ("time", "event", "risk", "fold"))
    c, event = concordance(time, event == 1, risk, fold, np.ones(len(part))), event == 1
    estimated = float(part["predicted"].mean(skipna=False))
    observed, low, high = survival_at(time, event)
    # without all estimates no level is given; with fewer than 10 followed to the month nothing counts as observed
    if np.isfinite(estimated) and (time >= MONTH).sum() < 10:
        observed = low = high = np.nan
    return [c, estimated, observed, low, high, estimated - observed, estimated - high, estimated - low]


NAMES = ["c", "predicted", "observed", "observed low", "observed high", "difference", "difference low",
         "difference high"]
groups = numbers["variable"] + " " + numbers["level"].fillna("")
member = patients["variable"] + " " + patients["level"].fillna("")
own = np.array([numbers_of(patients[member == name]) for name in groups])
for name, values in zip(groups, own):
    print(f"{name.strip()}: C {values[0]:.10g}, difference {values[5]:.10g}")
apart(own, numbers[NAMES])
judged = np.array([(member == name).any() for name in groups])
apart([(member == name).sum() for name in groups[judged]], numbers.loc[judged, "patients"])
apart([patients.loc[member == name, "event"].sum() for name in groups[judged]], numbers.loc[judged, "events"])
figure, axis = plt.subplots(figsize=(8, 0.32 * len(numbers) + 1.5))
axis.plot(own[:, NAMES.index(COLUMN)], range(len(numbers)), "o")
axis.hlines(range(len(numbers)), numbers[f"{COLUMN} low"], numbers[f"{COLUMN} high"])
axis.set(yticks=range(len(numbers)), yticklabels=groups.str.strip(), title=TITLE, xlabel=COLUMN)
axis.axvline(LINE, color="grey", linestyle=":")
axis.invert_yaxis()
"""

_R = """month <- @month@; column <- @column@
patients$level[is.na(patients$level)] <- ""
numbers$level[is.na(numbers$level)] <- ""
member <- paste(patients$variable, patients$level); groups <- paste(numbers$variable, numbers$level)
own <- t(sapply(groups, function(name) {
  part <- patients[member == name, ]
  if (!nrow(part)) return(rep(NA, 8))
  c <- paired(part, rep(1, nrow(part)))
  cat(sprintf("%s: C %.10g, by the package survival %.10g\\n", trimws(name), c, by_package(part)))
  estimated <- mean(part$predicted)
  at <- summary(survfit(Surv(time, event) ~ 1, part, conf.type = "log-log"), times = month, extend = TRUE)
  seen <- c(at$surv, at$lower, at$upper)
  if (at$surv == 1) seen <- c(1, 1, 1)  # nothing has happened yet
  if (at$surv == 0) seen <- c(0, NA, NA)
  if (at$surv > 0 && month > max(part$time)) seen <- rep(NA, 3)
  # without all estimates no level is given; with fewer than 10 followed to the month nothing counts as observed
  if (!is.na(estimated) && sum(part$time >= month) < 10) seen <- rep(NA, 3)
  c(c, estimated, seen, estimated - seen[c(1, 3, 2)])
}))
columns <- c("c", "predicted", "observed", "observed low", "observed high", "difference", "difference low",
             "difference high")
apart(own, as.matrix(numbers[, columns]))
judged <- groups %in% member
apart(sapply(groups[judged], function(name) sum(member == name)), numbers$patients[judged])
apart(sapply(groups[judged], function(name) sum(patients$event[member == name])), numbers$events[judged])
values <- own[, match(column, columns)]
limits <- numbers[, paste(column, c("low", "high"))]
dotchart(rev(values), rev(trimws(groups)), xlim = range(@line@, values, unlist(limits), na.rm = TRUE), main = title,
         xlab = column, cex = 0.7)
segments(rev(limits[, 1]), seq_along(groups), rev(limits[, 2]), seq_along(groups))
abline(v = @line@, lty = 3)
"""
_COLUMNS = {"ranking": ("c", "0.5"), "level": ("difference", "0")}


def groups_python(kind: str, title: str, month: float) -> str:
    """Python for the groups; ``kind`` ``"ranking"`` draws C, ``"level"`` the difference at ``month``."""
    return python_script(
        About(_PURPOSE, title, ("variable", "level")), _filled(_PYTHON, kind, month), ("leaving", "concordance")
    )


def groups_r(kind: str, title: str, month: float) -> str:
    """R for the same."""
    return r_script(About(_PURPOSE, title, ("variable", "level")), _filled(_R, kind, month), ("concordance",))


def _filled(body: str, kind: str, month: float) -> str:
    column, line = _COLUMNS[kind]
    body = body.replace("@month@", repr(float(month))).replace("@column@", f'"{column}"')
    return body.replace("@line@", line)
