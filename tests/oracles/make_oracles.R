# Numbers from R's survival and maxstat packages for tests/statistics. R is not needed to run the tests.
#   apt-get install r-base-core r-cran-survival r-cran-maxstat r-cran-jsonlite
#   Rscript tests/oracles/make_oracles.R        (writes tests/oracles/survival.json beside itself)
library(survival)
library(maxstat)
library(jsonlite)

tight <- coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50)
ticks <- c(0, 0.5, 3, 6, 7.5, 12, 18, 24, 30, 60)

curve <- function(fit) {
  list(time = fit$time, at_risk = fit$n.risk, events = fit$n.event, censored = fit$n.censor,
       survival = fit$surv, low = fit$lower, high = fit$upper)
}
table_at <- function(fit) {
  s <- summary(fit, times = ticks, extend = TRUE)
  list(ticks = ticks, at_risk = s$n.risk, events = cumsum(s$n.event), censored = cumsum(s$n.censor))
}
median_of <- function(fit) {
  t <- summary(fit)$table
  unname(c(t["median"], t["0.95LCL"], t["0.95UCL"]))
}
rmst_of <- function(fit, tau) unname(summary(fit, rmean = tau)$table[c("rmean", "se(rmean)")])

one_group <- function(d, entry = FALSE, given = 4, month = 12) {
  y <- if (entry) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)
  fit <- survfit(y ~ 1, conf.type = "log-log")
  later <- d[d$time > given, ]
  y_later <- if (entry) Surv(pmax(later$entry, given), later$time, later$event) else Surv(later$time, later$event)
  conditional <- summary(survfit(y_later ~ 1, conf.type = "log-log"), times = month)
  list(data = seen(d), km = curve(fit), table = table_at(fit), median = median_of(fit),
       rmst = list(tau = 18, value = rmst_of(fit, 18)),
       conditional = list(given = given, month = month, value = conditional$surv, low = conditional$lower,
                          high = conditional$upper))
}
cox <- function(d, entry = FALSE) {
  y <- if (entry) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)
  fit <- coxph(y ~ age + sex + albumin, data = d, ties = "efron", control = tight)
  s <- summary(fit)$coefficients
  z <- cox.zph(fit)$table
  breslow <- coxph(y ~ age + sex + albumin, data = d, ties = "breslow", control = tight)
  base <- basehaz(breslow, centered = FALSE)
  list(coefficients = unname(s[, "coef"]), standard_errors = unname(s[, "se(coef)"]), p = unname(s[, "Pr(>|z|)"]),
       log_likelihood = fit$loglik[2], null_log_likelihood = fit$loglik[1],
       concordance = unname(fit$concordance["concordance"]),
       zph_statistic = unname(z[1:3, "chisq"]), zph_p = unname(z[1:3, "p"]),
       zph_global = unname(z["GLOBAL", c("chisq", "p")]),
       breslow_coefficients = unname(coef(breslow)), baseline_time = base$time, baseline = base$hazard)
}
incidence <- function(d, entry = FALSE) {
  d$state <- factor(d$code, 0:2)
  d$id <- seq_len(nrow(d))
  fit <- if (entry) survfit(Surv(entry, time, state) ~ 1, data = d, id = id, conf.type = "log-log")
         else survfit(Surv(time, state) ~ 1, data = d, conf.type = "log-log")
  list(data = list(entry = pmax(d$entry, 0), time = d$time, code = d$code), time = fit$time,
       one = fit$pstate[, 2], one_error = fit$std.err[, 2], one_low = fit$lower[, 2], one_high = fit$upper[, 2],
       two = fit$pstate[, 3], two_error = fit$std.err[, 3], two_low = fit$lower[, 3], two_high = fit$upper[, 3])
}

set.seed(20)
n <- 90
d <- data.frame(group = rep(c("A", "B", "C"), length.out = n), age = round(rnorm(n, 65, 9)), sex = rbinom(n, 1, 0.4),
                albumin = round(rnorm(n, 38, 5), 1))
rate <- 0.05 * exp(0.03 * (d$age - 65) - 0.06 * (d$albumin - 38) + 0.5 * (d$group == "B"))
death <- rexp(n, rate)
follow <- runif(n, 1, 36)
d$time <- floor(pmin(death, follow))                   # whole months: many ties, deaths and censorings at 0
d$event <- as.integer(death <= follow)
d$entry <- 0
d$time[1:3] <- 0
d$event[1:3] <- c(1, 1, 0)

late <- d
late$entry <- pmin(floor(runif(n, -8, 10)), late$time - 1)
late$entry[late$entry <= 0] <- -1  # R counts entry < time: -1 says "from the start", also for an event at 0;
seen <- function(d) { d$entry <- pmax(d$entry, 0); as.list(d) }  # what the tests read says 0, as an endpoint does

few <- d[d$group == "A", ][1:7, ]                       # survival reaches 0
few$event <- c(1, 1, 0, 1, 0, 1, 1)
few$time <- c(0, 3, 3, 5, 9, 14, 20)
half <- data.frame(group = "A", time = c(2, 4, 6, 8), event = 1, entry = 0)   # exactly one half
none <- data.frame(group = "A", time = c(0, 2, 2, 9, 25), event = 0, entry = 0)

test <- survdiff(Surv(time, event) ~ group, data = d)
two <- d[d$group != "C", ]
test_two <- survdiff(Surv(time, event) ~ group, data = two)
exact <- coxph(Surv(entry, time, event) ~ group, data = late, ties = "exact")

competing <- d[, c("entry", "time")]
competing$code <- ifelse(d$event == 1, 1 + rbinom(n, 1, 0.35), 0)
competing_late <- late[, c("entry", "time")]
competing_late$code <- competing$code

m <- 80
cut <- data.frame(x = round(rnorm(m), 1), time = round(rexp(m, 0.05), 4), event = rbinom(m, 1, 0.7))
cut$time <- round(cut$time * exp(-0.7 * (cut$x > 0.4)), 5)
stopifnot(!any(duplicated(cut$time)))
best <- maxstat.test(Surv(time, event) ~ x, data = cut, smethod = "LogRank", pmethod = "Lau92", minprop = 0.1,
                     maxprop = 0.9)
p <- c(0.01, 0.04, 0.03, 0.005, 0.5, 0.04)

out <- list(
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival")),
                  maxstat = as.character(packageVersion("maxstat"))),
  curves = list(ties_and_zero = one_group(d), delayed_entry = one_group(late, TRUE), reaches_zero = one_group(few),
                exactly_half = one_group(half, given = 3, month = 7), no_events = one_group(none)),
  logrank = list(three = list(statistic = test$chisq, df = 2, observed = test$obs, expected = test$exp, n = c(test$n)),
                 two = list(statistic = test_two$chisq, df = 1, observed = test_two$obs, expected = test_two$exp,
                            n = c(test_two$n)),
                 delayed = list(statistic = exact$score, df = 2)),
  cox = list(plain = cox(d), delayed = cox(late, TRUE)),
  competing = list(plain = incidence(competing), delayed = incidence(competing_late, TRUE)),
  cutpoint = list(data = as.list(cut), cut = unname(best$estimate), statistic = unname(best$statistic),
                  p = unname(best$p.value)),
  adjust = list(p = p, holm = p.adjust(p, "holm"), benjamini_hochberg = p.adjust(p, "BH"))
)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
writeLines(toJSON(out, digits = NA, na = "null", auto_unbox = TRUE, pretty = FALSE), file.path(here, "survival.json"))
