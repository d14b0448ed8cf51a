"""What is said of a patient, made by template from the very numbers that are drawn. No sentence tells what to do."""

from __future__ import annotations

from collections.abc import Mapping

from core.analysis.patient_estimate import Number, PatientEstimate
from core.cohort.endpoint import Endpoint

TEMPLATES: Mapping[str, str] = {
    "headline": "About {count} of 100 patients like this one are {state} {when} after {zero}.",
    "headline_given": "Of 100 patients like this one who are {state} {reached} after {zero}, about {count} are still "
    "{state} {when} after {zero}.",
    "chance": "Whether this patient is among the {count} or among the other {others} cannot be known.",
    "one_model": "One model speaks here, so how far models differ is not known.",
    "spread": "The {models} models that {who} say between {low} and {high} of 100 ({what}). {agreement}",
    "agree": "They agree closely.",
    "differ": "They differ somewhat.",
    "disagree": "They differ widely: take the number with caution.",
    "never_saw": "never saw this patient",
    "all": "the run holds",
    "not_estimable": "Not estimable at {when}: fewer than {fewest} training patients of the run were still followed.",
    "refused": "No estimate is given: this patient lies outside what the run was trained on. {reason}.",
    "unchecked": "Whether this patient lies within what the run was trained on has not been checked yet.",
    "place": "The estimated chance to be {state} at {when} is lower than for {lower} of {others} other patients of "
    "the run.",
    "raises": "{what} lowers the estimated chance to be {state} at {when} by {points} percentage points.",
    "lowers": "{what} raises the estimated chance to be {state} at {when} by {points} percentage points.",
    "no_reason_up": "No stable reason raises the estimated risk.",
    "no_reason_down": "No stable reason lowers the estimated risk.",
    "comparable": "{n} patients with {same}: {events} of them {had} while observed.",
    "too_few": "No curve of comparable patients: {n} patients with {same}, {events} events; at least {patients} and "
    "{least} are needed.",
    "present": "{modality}: there, and read by the run.",
    "unread": "{modality}: there, not read by this run.",
    "missing": "{modality}: missing. {lacking} of the other {patients} patients of the cohort lack it as well.",
    "missing_effect": "With {modality} shuffled among patients the run orders patients less well (Harrell C {shuffled} "
    "instead of {own}).",
    "absent": "{modality}: missing; this run does not read it.",
    "competing": "{competing} counts as the end of observation here: the estimate speaks as if it did not happen.",
    "similar": "Alike in {same}.",
    "similar_curve": "Alike in the estimated course.",
    "observed_event": "{event} at month {month}",
    "observed_end": "{state} at last contact, month {month}",
    "routing": "{level}: most weight on {expert} ({share}; {low} to {high} in the {models} models that never saw this "
    "patient).",
    "routing_absent": "{level}: passed over, this patient lacks what it routes.",
    "routing_unmatched": "{level}: the models' experts do not match each other, so no common one can be named.",
}
"""Every sentence the Patient page can say of a patient; nothing else is said about one."""

FORBIDDEN = (
    "start", "stop", "prescribe", "prescription", "recommend", "should", "must", "ought", "administer", "advise",
    "consider", "treat with", "be treated", "give the", "avoid", "indicated", "eligible", "candidate for",
    "benefit from", "resect", "operate", "transplant", "sorafenib", "chemotherapy", "immunotherapy", "needs", "dose",
    "refer to", "cure", "will die", "will live", "will survive", "safe", "certain to",
)  # fmt: skip
"""Words no template may hold: they direct a treatment, or promise what nobody can know."""

AGREE, DIFFER = 10, 25
"""Width of the model spread, in patients of 100, up to which models agree closely, and differ somewhat."""


def say(key: str, **facts: object) -> str:
    """A template with its facts filled in."""
    return TEMPLATES[key].format(**facts)


def percent_words(value: float) -> str:
    """A probability as every presentation writes it: ``"62 %"``, ``"< 1 %"``, ``"> 99 %"``."""
    return f"{count_words(value)} %"


def count_words(value: float) -> str:
    """Of 100: ``"62"``; a probability that rounds to nobody or to all without being so is ``"< 1"`` or ``"> 99"``."""
    count = Number(value, None, None).of_hundred
    if count == 0 and value > 0:
        return "< 1"
    return "> 99" if count == 100 and value < 1 else str(count)


def month_words(month: float) -> str:
    """``"1 year"``, ``"3 years"``, ``"18 months"``."""
    if month % 12 or not month:
        return f"{month:g} month{'' if month == 1 else 's'}"
    return f"{month / 12:g} year{'' if month == 12 else 's'}"


def state_words(endpoint: Endpoint) -> str:
    """What not having had the event is called: ``"alive"``, ``"free of progression or death"``."""
    return "alive" if endpoint.event_label == "death" else f"free of {endpoint.event_label}"


def headline(number: Number, month: float, endpoint: Endpoint, reached: float = 0.0) -> str:
    """The estimate as a natural frequency."""
    words = {"state": state_words(endpoint), "when": month_words(month), "zero": endpoint.time_zero}
    count = count_words(number.value).replace("<", "fewer than").replace(">", "more than")
    if reached:
        text = say("headline_given", count=count, reached=month_words(reached), **words)
    else:
        text = say("headline", count=count, **words)
    return text.replace("About fewer", "Fewer").replace("About more", "More").replace("about fewer", "fewer").replace(
        "about more", "more"
    )  # fmt: skip


def chance(number: Number) -> str:
    """What a frequency cannot tell of a single patient."""
    count = number.of_hundred
    return say("chance", count=count, others=100 - count) if 0 < count < 100 else ""


def model_spread(number: Number, estimate: PatientEstimate) -> str:
    """How far the models differ that may speak of the patient."""
    if number.low is None or number.high is None:
        return say("one_model") if estimate.models == 1 else ""
    width = Number(number.high, None, None).of_hundred - Number(number.low, None, None).of_hundred
    agreement = "agree" if width <= AGREE else "differ" if width <= DIFFER else "disagree"
    return say(
        "spread", models=estimate.models, who=say("never_saw" if estimate.unseen else "all"),
        low=count_words(number.low), high=count_words(number.high), what=estimate.spread.value,
        agreement=say(agreement),
    )  # fmt: skip
