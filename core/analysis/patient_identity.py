"""Who a patient is, in a few words: age, sex, stage, which data there are and what the missing ones mean."""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.patient_markers import age_column, sex_column, stage_column
from core.analysis.patient_person import Person
from core.analysis.patient_sentences import say, state_words
from core.cohort.cohort import Cohort


@dataclass(frozen=True)
class ModalityOf:
    """One kind of data of a patient: ``present``, ``read`` by the run, and a sentence with what that means."""

    modality: str
    present: bool
    read: bool
    words: str


@dataclass(frozen=True)
class Identity:
    """``facts`` such as ("67 years", "male", "stage B") · ``observed`` the months of observation · ``outcome`` what
    happened, kept apart: a reader may want to look at the estimate first."""

    facts: tuple[str, ...]
    modalities: tuple[ModalityOf, ...]
    observed: str
    outcome: str


def identity(person: Person) -> Identity:
    """From the cohort's table; dates stand as months from the endpoint's time zero, never as dates."""
    cohort, facts = person.cohort, list[str]()
    age, sex, stage = (f(cohort) for f in (age_column, sex_column, stage_column))
    if age and isinstance(years := person.value(age), int | float):
        facts.append(f"{years:.0f} years")
    if sex and person.value(sex) is not None:
        facts.append(str(person.value(sex)))
    if stage and person.value(stage) is not None:
        word = str(person.value(stage))
        facts.append(word if word.lower().startswith("stage") else f"{cohort.label(stage)} {word}")
    names = [str(c) for c in cohort.availability.columns]
    names += [m for m in person.run.modalities if m not in names]
    return Identity(
        tuple(facts),
        tuple(_modality(m, person) for m in names),
        *_observed(cohort, person.run.endpoint, person.patient),
    )


def _modality(name: str, person: Person) -> ModalityOf:
    present, read = person.has(name), person.reads(name)
    words = name[:1].upper() + name[1:]
    if present:
        return ModalityOf(name, True, read, say("present" if read else "unread", modality=words))
    if not read:
        return ModalityOf(name, False, False, say("absent", modality=words))
    have, others = person.base.availability, person.others
    lacking = int((~have[name].to_numpy(dtype=bool) & others).sum()) if name in have.columns else int(others.sum())
    text = say("missing", modality=words, lacking=lacking, patients=int(others.sum()))
    return ModalityOf(name, False, True, " ".join([text, *_effect(name, person)]))


def _effect(name: str, person: Person) -> list[str]:
    """What the run loses without a modality, from the row of the run that had it shuffled among patients."""
    run = person.run
    row = next((r for r in run.references if r.name == f"this run, {name} permuted"), None)
    own = run.metrics.harrell_c.mean
    if row is None or row.metrics.harrell_c.mean is None or own is None:
        return []
    return [say("missing_effect", modality=name, shuffled=f"{row.metrics.harrell_c.mean:.2f}", own=f"{own:.2f}")]


def _observed(cohort: Cohort, endpoint_name: str, patient: str) -> tuple[str, str]:
    if endpoint_name not in cohort.endpoints:
        return "", ""
    endpoint = cohort.endpoint(endpoint_name)
    row = cohort.patients.index.get_loc(patient)
    if not bool(endpoint.known[row]):
        return "", ""
    entry, time = float(endpoint.entry[row]), float(endpoint.time[row])
    observed = f"months {_month(entry)} to {_month(time)} after {endpoint.time_zero}"
    return observed, outcome_words(cohort, endpoint_name, patient)


def outcome_words(cohort: Cohort, endpoint_name: str, patient: str) -> str:
    """``"Death at month 20"`` or ``"Alive at last contact, month 41"``; "" where nothing is on file."""
    endpoint = cohort.endpoint(endpoint_name)
    row = cohort.patients.index.get_loc(patient)
    if not bool(endpoint.known[row]):
        return ""
    month = _month(float(endpoint.time[row]))
    if endpoint.event[row] or endpoint.competing[row]:
        event = endpoint.event_label if endpoint.event[row] else endpoint.competing_label
        return say("observed_event", event=event[:1].upper() + event[1:], month=month)
    state = state_words(endpoint)
    return say("observed_end", state=state[:1].upper() + state[1:], month=month)


def _month(time: float) -> str:
    """A month for a person: whole, with one decimal in the first year."""
    return f"{time:.0f}" if time >= 12 or time == round(time) else f"{time:.1f}"
