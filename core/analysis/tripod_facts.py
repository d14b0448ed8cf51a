"""What a run's record says to each item of TRIPOD+AI, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from core.analysis.card_source import CardSource, import_notes
from core.analysis.comparisons import interval
from core.analysis.patient_markers import age_column, sex_column, stage_column
from core.analysis.patient_sentences import month_words, state_words
from core.analysis.run_settings import settings_sentence
from core.cohort.cohort import Role
from core.cohort.modality import Modality
from core.cohort.wording import plural
from core.results.model_catalogue import CATALOGUE
from core.results.naming import model_words


class Found(NamedTuple):
    """``facts`` the record holds and ``missing`` what it lacks, both in words."""

    facts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def title_facts(source: CardSource) -> Mapping[int, Found]:
    """Items 1 to 4."""
    run, cohort, c = source.run, source.cohort, source.run.metrics.harrell_c
    kind = "generated patients" if cohort.synthetic else "patients"
    title = f"{model_words(run.model)} estimates {source.endpoint.label.lower()} of {kind} of “{cohort.title}”."
    words = (
        f"{plural(run.patients, 'patient')} with {plural(run.events, 'event')}; inputs {' + '.join(run.modalities)}; "
        f"{run.folds} with {plural(len(run.seeds), 'seed')}; Harrell C {interval(c.mean, c.low, c.high, 3)}"
        + (", optimistic: the epoch was chosen on the test patients." if run.protocol == "upstream" else ".")
    )
    return {
        1: Found((title,)),
        2: Found((words,)),
        3: Found((), ("why the model is needed and whom it is for", "known inequalities between groups of patients")),
        4: Found(("Development with internal validation by cross-validation; no clinical use is an aim.",)),
    }


def method_facts(source: CardSource, groups: int) -> Mapping[int, Found]:
    """Items 5 to 19."""
    run = source.run
    return {
        5: _data(source),
        6: _participants(source),
        7: _preparation(source),
        8: _outcome(source),
        9: _predictors(source),
        10: Found((f"All usable patients: {run.patients:,}, with {run.events:,} events.",),
                  ("a calculation of the sample size",)),
        11: _missing_values(source),
        12: _analysis(source),
        13: Found((_balance(source),)),
        14: Found((f"Ranking and calibration are given for {plural(groups, 'group')} by sex, age, stage and site. "
                   "Nothing in training makes groups equal.",)) if groups else
            Found((), ("groups by sex, age, stage or site to look at",)),
        15: Found((f"The probability to be {state_words(source.endpoint)} at each month up to where at least 20 "
                   "training patients were still followed, and a risk that orders patients. No classes.",)),
        16: Found(("Tested on the held-out patients of the same cohort: same setting, outcome and inputs. "
                   + (plural(source.scored, "other cohort") if source.scored else "No other cohort was")
                   + " scored with it.",)),
        17: Found((), ("the approval of an ethics committee, or why none was needed",)),
        18: Found((f"Code {run.code_version}; data fingerprint {run.cohort_hash[:16]}; repeated by: {run.command}",),
                  ("funding", "competing interests", "a protocol", "a registration",
                   "where others can have the data")),
        19: Found((), ("how patients or the public took part",)),
    }  # fmt: skip


def _data(source: CardSource) -> Found:
    origin, follow = source.cohort.provenance, source.median_follow_up
    facts = [f"{origin.format}, {plural(len(origin.files), 'source file')} kept by SHA-256."]
    if origin.imported_at:
        facts.append(f"Imported {origin.imported_at[:10]}.")
    if follow is not None:
        facts.append(f"Median follow-up {follow:.1f} months (reverse Kaplan-Meier).")
    facts.extend(f"{note.rstrip('.')}." for note in origin.notes)
    return Found(tuple(facts), ("the dates of enrolment and of the end of follow-up: months alone are kept",))


def _participants(source: CardSource) -> Found:
    facts, sites = [], source.cohort.sites
    if sites is not None:
        facts.append(f"{plural(int(sites.nunique()), 'site')} sent patients.")
    arms = [c for c in source.cohort.columns(Role.DESCRIPTION) if "treat" in c.lower() or "arm" in c.lower()]
    facts.extend(f"Treatments are kept in “{source.cohort.label(c)}”; no model reads them." for c in arms)
    left_out = sum(e.count for e in source.cohort.exclusions) + sum(n for _, n in source.run.excluded)
    facts.append(f"{plural(left_out, 'patient')} left out, each with a reason (see the flow)." if left_out else
                 "Nobody was left out.")  # fmt: skip
    missing = ["the study's own rules of who could take part"]
    if sites is None:
        missing.append("the sites")
    if not arms:
        missing.append("treatments received")
    return Found(tuple(facts), tuple(missing))


def _preparation(source: CardSource) -> Found:
    config = source.run.config
    facts = ["Scales, medians, levels and bin edges are learned from each fold's training patients alone."]
    if Modality.GENOMICS.value in source.run.modalities:
        scale = config.get("training", {}).get("gene_scale")
        facts.append("Genes " + (f"scaled by {scale}." if scale else "scaled by the training fold."))
    for modality, encoder in dict(config.get("encoders", {})).items():
        facts.append(f"{str(modality).capitalize()} encoded by {encoder}.")
    return Found((*facts, *import_notes(source)))


def _outcome(source: CardSource) -> Found:
    endpoint, run = source.endpoint, source.run
    when = ", ".join(month_words(h) for h in run.horizons)
    facts = [f"{endpoint.label}: {endpoint.event_label}, in months from {endpoint.time_zero}; reported at {when}."]
    if endpoint.has_competing:
        label = endpoint.competing_label or "a competing event"
        facts.append(f"{label[:1].upper()}{label[1:]} ends observation like censoring.")
    return Found(tuple(facts), ("who judged the outcome, and whether they knew the inputs",))


def _predictors(source: CardSource) -> Found:
    run, cohort = source.run, source.cohort
    facts = [f"Reads {', '.join(run.modalities)}."]
    if Modality.CLINICAL.value in run.modalities:
        facts.append(f"Clinical columns: {', '.join(cohort.label(c) for c in cohort.columns(Role.INPUT))}.")
    if Modality.GENOMICS.value in run.modalities and cohort.genomics is not None:
        facts.append(f"{len(cohort.genomics.columns):,} gene columns.")
    markers = cohort.columns(Role.MARKER)
    if markers:
        facts.append(f"{plural(len(markers), 'marker')} kept beside and never given to a model.")
    return Found(tuple(facts), ("who measured the inputs, and whether they knew the outcome",))


def _missing_values(source: CardSource) -> Found:
    table, run = source.cohort.availability, source.run
    facts = [
        f"{str(m).capitalize()}: {int((~table[m].to_numpy(dtype=bool)).sum()):,} of {len(table):,} patients without."
        for m in run.modalities if m in table.columns
    ]  # fmt: skip
    facts.append("A missing modality is masked inside the model.")
    if Modality.CLINICAL.value in run.modalities:
        facts.append("A missing number takes the training median, a missing category the most frequent level.")
    return Found(tuple(facts))


def _analysis(source: CardSource) -> Found:
    run, entry = source.run, CATALOGUE.get(source.run.model)
    honest = (
        "The epoch was chosen on the test fold (upstream protocol): the numbers are optimistic."
        if run.protocol == "upstream"
        else "Test folds chose nothing: no epoch, no setting, no cut-point."
    )
    facts = [f"{model_words(run.model)}: {entry.tooltip}"] if entry is not None else []
    facts += [
        f"{plural(run.n_folds, 'fold')} ({run.folds}), {plural(len(run.seeds), 'seed')}; each patient tested once.",
        honest,
        f"Settings: {settings_sentence(run)}.",
        "Measured: Harrell and Uno C, AUC(t), Brier score beside the Kaplan-Meier null, calibration slope and ICI, "
        "net benefit; 95 % intervals from the bootstrap over patients.",
    ]
    return Found(tuple(facts))


def _balance(source: CardSource) -> str:
    share = source.run.events / max(1, source.run.patients)
    balanced = bool(source.run.config.get("training", {}).get("balanced", False))
    how = "training batches were balanced by outcome" if balanced else "nothing was re-weighted or sampled anew"
    return f"{100 * share:.0f} % of patients have the event; {how}."


def result_facts(source: CardSource, groups: int) -> Mapping[int, Found]:
    """Items 20 to 24."""
    return {
        20: Found((*_characteristics(source), "The flow with every exclusion stands on this card.")),
        21: Found((_per_fold(source),)),
        22: _specification(source),
        23: _performance(source, groups),
        24: Found(("Nothing was updated: a run is never altered after its training.",)),
    }


def _characteristics(source: CardSource) -> list[str]:
    cohort = source.cohort
    patients, facts = cohort.patients.reindex(source.ensemble.table["id"]), []
    age = age_column(cohort)
    if age:
        years = pd.to_numeric(patients[age], errors="coerce").to_numpy(dtype=float)
        low, middle, high = np.nanquantile(years, [0.25, 0.5, 0.75]) if np.isfinite(years).any() else (np.nan,) * 3
        facts.append(f"Age {middle:.0f} years (quartiles {low:.0f} to {high:.0f}).")
    for column in (sex_column(cohort), stage_column(cohort)):
        if column:
            counts = patients[column].value_counts(dropna=False).sort_index()
            words = ", ".join(f"{'not known' if pd.isna(k) else k} ({n:,})" for k, n in counts.items())
            label = cohort.label(column)
            facts.append(f"{label[:1].upper()}{label[1:]}: {words}.")
    return facts


def _per_fold(source: CardSource) -> str:
    table = source.ensemble.table
    parts = []
    for fold, part in table.groupby("fold"):
        tested, happened = len(part), int((part["event"] == 1).sum())
        train = len(table) - tested
        trained = int((table["event"] == 1).sum()) - happened
        parts.append(f"fold {int(fold) + 1}: {train:,} trained ({trained:,} events), {tested:,} tested ({happened:,})")
    return f"{'; '.join(parts)}.".capitalize()


def _specification(source: CardSource) -> Found:
    if not source.models:
        return Found((), ("the trained models: none are stored with this run",))
    words = f"{plural(source.models, 'trained model')} stored with the run (safetensors), one a fold and seed"
    return Found((f"{words}; `./run cli predict --run {source.run.id} --cohort COHORT` asks them of new patients.",))


def _performance(source: CardSource, groups: int) -> Found:
    m = source.run.metrics
    if m.harrell_c.mean is None:
        return Found((), ("discrimination and calibration: not estimable",))
    slopes = [s for s in m.calibration_slope.values() if s.mean is not None]
    facts = [f"Harrell C {interval(m.harrell_c.mean, m.harrell_c.low, m.harrell_c.high, 3)}; calibration at "
             f"{plural(len(slopes), 'horizon')}; {plural(groups, 'group')} beside."]  # fmt: skip
    return Found(tuple(facts), () if slopes else ("calibration: not estimable at any horizon",))


def discussion_facts(source: CardSource, limitations: int) -> Mapping[int, Found]:
    """Items 25 to 27."""
    run, m = source.run, source.run.metrics
    facts = []
    if m.ibs.mean is not None and m.ibs_kaplan_meier.mean is not None:
        facts.append(f"Integrated Brier score {m.ibs.mean:.3f}; {m.ibs_kaplan_meier.mean:.3f} for the null.")
    for reference in run.references:
        c = reference.metrics.harrell_c
        facts.append(f"{reference.name[:1].upper()}{reference.name[1:]}: C {interval(c.mean, c.low, c.high, 3)}.")
    use = ["Missing modalities are masked; genes in another unit than the run's are masked with the reason."]
    if source.support is not None:
        away = int((~source.support.table["supported"].to_numpy(dtype=bool)).sum())
        use.append(f"Patients outside the training support get no number ({away:,} of this cohort).")
    return {
        25: Found(tuple(facts), ("what the results mean beside earlier studies",)),
        26: Found((f"{plural(limitations, 'limitation')} on this card, each from the record.",)) if limitations else
            Found((), ("any limitation: none follows from the record",)),
        27: Found(tuple(use), ("what users have to know", "what research comes next")),
    }  # fmt: skip
