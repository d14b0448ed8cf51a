"""All that a report says of one patient, put together once; the PDF, the HTML and the board's pages only lay it out.

Every number is made by the functions the Patient page draws from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.analysis.card_quality import horizon_quality
from core.analysis.model_quality import HorizonQuality
from core.analysis.patient_estimate import Number, PatientEstimate
from core.analysis.patient_identity import Identity, identity
from core.analysis.patient_person import Person
from core.analysis.patient_presentations import numbers_of, sentences
from core.analysis.patient_reasons import Reasons, reasons_of
from core.analysis.patient_reference import Comparable, comparable
from core.analysis.patient_sentences import say, state_words
from core.board.forbidden import check_words
from core.board.report_tables import Rows, calibration_words, genes_of, marker_rows, record_rows, simple_rows
from core.board.slide_region import SlideRegion, slide_region
from core.board.sources import ReportSources
from core.cohort.modality import Modality
from core.results.board_store import Opinion
from core.results.explained import Kind, has_explanation
from core.results.explanation import Explanation, load_explanation
from core.results.naming import badge, model_words
from core.results.run import Run

NO_VALUES = "No explanation of this estimate was made yet."


@dataclass(frozen=True, eq=False)
class ReportContent:
    """One patient's report.

    ``name`` what the patient is called here (a pseudonym, or a place in a list) · ``number`` S(month), None where it
    is not estimable or ``refused`` says why none may be shown · ``said`` the sentences · ``table`` every horizon ·
    ``support`` whether the patient lies within what the run was trained on · ``reasons`` None with the reason in
    ``no_reasons`` · ``region`` a picture, or why there is none · ``calibration`` of the run at the month.
    """

    name: str
    run: Run
    month: float
    cohort_title: str
    identity: Identity
    state: str
    zero: str
    estimate: PatientEstimate | None
    number: Number | None
    refused: str
    said: tuple[str, ...]
    table: Rows
    comparable: Comparable | None
    support: str
    badge: str
    simple: Rows
    markers: Rows
    reasons: Reasons | None
    no_reasons: str
    genes: Rows
    region: SlideRegion | str
    calibration: HorizonQuality
    calibration_words: tuple[str, ...]
    record: Rows
    protocol: str = ""
    opinion: Opinion | None = None

    @property
    def title(self) -> str:
        """``"HDMoE, genomics + clinical"``."""
        return f"{model_words(self.run.model)}, {' + '.join(self.run.modalities)}"

    @property
    def synthetic(self) -> bool:
        return self.run.synthetic

    def with_opinion(self, opinion: Opinion | None) -> ReportContent:
        """The same report with what the board noted."""
        return replace(self, opinion=opinion)

    def called(self, name: str) -> ReportContent:
        """The same report under another name, such as ``"Patient 3 of 7"``; nothing in it then names the patient."""
        return replace(self, name=name)


def report_content(sources: ReportSources, patient: str, month: float, protocol: str = "") -> ReportContent:
    """Put together what is known of a patient at ``month``.

    Raises
    ------
    PrognoscopeError
        When the cohort has no such patient, or a sentence would hold a forbidden word.
    """
    person, run = sources.person(patient), sources.run
    estimate = sources.estimate(person)
    refused = _refused(person, estimate)
    shown = estimate if estimate is not None and not refused else None
    explanation = _explanation(sources, patient, month) if shown is not None else None
    reasons = None if explanation is None else reasons_of(explanation, person.base, person.endpoint)
    quality = horizon_quality(sources.card, month)
    state = state_words(person.endpoint)
    content = ReportContent(
        name=patient,
        run=run,
        month=month,
        cohort_title=sources.cohort.title,
        identity=replace(identity(person), outcome=""),
        state=state,
        zero=person.endpoint.time_zero,
        estimate=shown,
        number=None if shown is None else shown.at(month),
        refused=refused,
        said=() if shown is None else _said(person, shown, month),
        table=Rows() if shown is None else Rows.of(numbers_of(shown, state)),
        comparable=None if shown is None else comparable(person, sources.card.ensemble, shown, month),
        support="" if shown is None else _support(shown),
        badge=badge(run.protocol, estimate is not None and not estimate.unseen and not person.new),
        simple=simple_rows(person, shown, month),
        markers=marker_rows(person),
        reasons=reasons,
        no_reasons="" if reasons is not None else NO_VALUES,
        genes=genes_of(explanation),
        region=_region(sources, person) if shown is not None else "",
        calibration=quality,
        calibration_words=calibration_words(run, quality),
        record=record_rows(sources, protocol),
        protocol=protocol,
    )  # fmt: skip
    check_words(spoken(content), data_words(content, person))
    return content


def _said(person: Person, estimate: PatientEstimate, month: float) -> tuple[str, ...]:
    """The page's sentences, with what a competing event means where there is one."""
    found = sentences(estimate, month, person.endpoint)
    if not person.endpoint.has_competing:
        return found
    label = person.endpoint.competing_label
    return (*found, say("competing", competing=label[:1].upper() + label[1:]))


def _refused(person: Person, estimate: PatientEstimate | None) -> str:
    if estimate is None:
        lacking = [m for m in person.run.modalities if not person.has(m)]
        why = f" It reads {', '.join(person.run.modalities)}; {', '.join(lacking)} missing here." if lacking else ""
        return f"This run has no estimate for this patient.{why}"
    return say("refused", reason=estimate.refused.rstrip(".")) if estimate.refused else ""


def _support(estimate: PatientEstimate) -> str:
    if estimate.support is None:
        return say("unchecked")
    distance = estimate.support.distance
    return "Within what the run was trained on" + (
        "." if distance is None else f" (distance {distance:.2f}; above 1 there is no number)."
    )


def _region(sources: ReportSources, person: Person) -> SlideRegion | str:
    """Nothing is said of slides where the run reads none."""
    found = slide_region(person.run.id, person.patient, person.cohort.name, sources.workspace)
    if isinstance(found, SlideRegion):
        return found
    slides = Modality.SLIDES
    if not person.reads(slides):
        return ""
    return found if person.has(slides.value) else "This patient has no slides."


def _explanation(sources: ReportSources, patient: str, month: float) -> Explanation | None:
    if not has_explanation(Kind.VALUES, sources.run.id, patient, month, sources.workspace):
        return None
    return load_explanation(sources.run.id, patient, month, sources.workspace)


def spoken(content: ReportContent) -> tuple[str, ...]:
    """Every sentence of a report; cells of tables are data and left out."""
    reasons = () if content.reasons is None else (*content.reasons.up, *content.reasons.down)
    region = content.region.words if isinstance(content.region, SlideRegion) else content.region
    reference = "" if content.comparable is None else content.comparable.words
    return (
        *content.said, content.refused, content.support, content.no_reasons, reference, region,
        *content.calibration_words, *(r.words for r in reasons), *(m.words for m in content.identity.modalities),
    )  # fmt: skip


def data_words(content: ReportContent, person: Person) -> Sequence[str]:
    """What in those sentences comes from the cohort and not from a template."""
    endpoint = person.endpoint
    reasons = () if content.reasons is None else (*content.reasons.up, *content.reasons.down)
    estimate = person.patient, endpoint.event_label, endpoint.competing_label, endpoint.time_zero, content.state
    same = "" if content.comparable is None else content.comparable.same
    return (*estimate, same, *(r.label for r in reasons), *(r.observed for r in reasons))
