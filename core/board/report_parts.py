"""A report as titled parts in reading order: what the PDF and the HTML both lay out."""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis.patient_reasons import STABLE, Reason
from core.analysis.patient_sentences import count_words, month_words, say
from core.board.card_charts import calibration_picture
from core.board.patient_charts import course_chart, icons_chart, key_line
from core.board.picture import Picture
from core.board.report_content import ReportContent
from core.board.report_tables import Rows
from core.board.slide_region import SlideRegion
from core.cohort.wording import plural

NO_ROWS = Rows()


@dataclass(frozen=True)
class Part:
    """One part. ``text`` sentences · ``pictures`` side by side · ``photos`` (JPEG bytes, what it shows) side by side ·
    ``items`` a list · ``small`` whether the text is a remark."""

    title: str
    text: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    key: Picture | None = None
    photos: tuple[tuple[bytes, str], ...] = ()
    table: Rows = NO_ROWS
    items: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def parts_of(content: ReportContent) -> tuple[Part, ...]:
    """All parts that the patient has something for."""
    found: list[Part | None] = [_estimate(content)]
    if content.estimate is not None:
        found += [_horizons(content), _reasons(content), _genes(content), _slide(content)]
    found += [_simple(content), _markers(content), _modalities(content), _trust(content)]
    if content.opinion is not None:
        found.append(_opinion(content))
    return (*(p for p in found if p is not None), Part("Record", table=content.record))


def headline_words(content: ReportContent) -> str:
    """``"62 of 100"``, or what stands in its place."""
    if content.number is None:
        return "No estimate" if content.refused else "Not estimable"
    return f"{count_words(content.number.value)} of 100"


def _estimate(content: ReportContent) -> Part:
    title = f"Estimate at {month_words(content.month)}"
    if content.estimate is None:
        return Part(title, (content.refused,))
    pictures: list[Picture] = []
    words, reference = (content.state, content.zero), content.comparable
    if content.number is not None:
        pictures.append(icons_chart(content.number, content.state))
    pictures.append(course_chart(content.estimate, content.month, words, reference, (340, 205)))
    remarks = [content.support]
    if reference is not None:
        remarks.append(reference.words)
    if content.badge == "optimistic":
        remarks.append("Optimistic (upstream protocol): the epoch was chosen on these very patients.")
    return Part(title, content.said, tuple(pictures), key_line(reference, content.estimate.models, 8.0),
                remarks=tuple(remarks))  # fmt: skip


def _horizons(content: ReportContent) -> Part:
    return Part("Every horizon", table=content.table)


def _reasons(content: ReportContent) -> Part:
    reasons = content.reasons
    title = "What moved this estimate"
    if reasons is None:
        return Part(title, (content.no_reasons,))
    items = [_reason(r) for r in (*reasons.up, *reasons.down)]
    if not reasons.up:
        items.append(say("no_reason_up"))
    if not reasons.down:
        items.append(say("no_reason_down"))
    remarks = [
        f"Percentage points of survival at {month_words(content.month)}. At least {100 * STABLE:.0f} % of models and "
        "comparisons agree on each sign. A reason of the model is no cause of the disease."
    ]
    if reasons.unstable:
        remarks.append(f"{plural(reasons.unstable, 'value')} of like size left out: no agreement on the sign.")
    if not reasons.ranked:
        remarks.append("The models do not agree on the order of size.")
    return Part(title, items=tuple(items), remarks=tuple(remarks))


def _reason(reason: Reason) -> str:
    return reason.words


def _genes(content: ReportContent) -> Part | None:
    return Part("Genes that moved it most", table=content.genes) if content.genes.rows else None


def _slide(content: ReportContent) -> Part | None:
    region = content.region
    if isinstance(region, SlideRegion):
        photos = ((region.overview, region.alt_overview), (region.region, region.alt_region))
        return Part("On the slide", photos=photos, remarks=(region.words,))
    return Part("On the slide", (region,)) if region else None


def _simple(content: ReportContent) -> Part | None:
    if not content.simple.rows:
        return None
    remark = "Stage and ALBI alone: Kaplan-Meier of training patients with the same value, without this one."
    return Part("Simple predictions beside it", table=content.simple, remarks=(remark,))


def _markers(content: ReportContent) -> Part | None:
    return Part("Inputs and what the clinic knows", table=content.markers) if content.markers.rows else None


def _modalities(content: ReportContent) -> Part:
    return Part("Data of this patient", items=tuple(m.words for m in content.identity.modalities))


def _trust(content: ReportContent) -> Part:
    chart = calibration_picture((content.calibration,), 250, 200)
    remark = "Out-of-fold numbers of the whole run, with 95 % intervals; the model card says more."
    if content.badge == "optimistic":
        remark = "Optimistic numbers (upstream protocol) of the whole run; the model card says more."
    return Part("How far the run can be trusted", content.calibration_words, (chart,) if chart else (),
                remarks=(remark,))  # fmt: skip


def _opinion(content: ReportContent) -> Part | None:
    found = content.opinion
    if found is None:
        return None
    when = found.at[:16].replace("T", " ")
    text = (f"The board noted at {when} UTC: {found.verdict.value}.", *((found.note,) if found.note else ()))
    return Part("Noted by the board", text, remarks=("Kept with the list; never fed to a model.",))
