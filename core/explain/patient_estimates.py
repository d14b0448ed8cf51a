"""One patient's estimate by every model that never saw them, made ready once for all that is asked of it."""

from __future__ import annotations

from functools import cached_property

from core.explain.background import MOST, Background, draw_background
from core.explain.estimate import PatientEstimate, Prepared
from core.explain.run_models import RunModels, UnseenModel


class PatientEstimates:
    """A patient's models, each with its background drawn, its patients scaled and their bags encoded.

    An explanation asks the same models for values, a cross-check and tables of few players; scaling and encoding the
    fifty patients of a background for each of these takes as long as the answers.
    """

    def __init__(self, models: RunModels, patient: str, month: float) -> None:
        self.models, self.patient, self.month = models, patient, month
        self.row = models.row(patient)
        self._ready: dict[tuple[int, int], tuple[Background, PatientEstimate]] = {}
        self._prepared: dict[int, Prepared] = {}

    @cached_property
    def unseen(self) -> tuple[UnseenModel, ...]:
        """The models that never saw the patient."""
        return self.models.unseen(self.patient)

    def of(self, number: int, background: int = MOST) -> tuple[Background, PatientEstimate]:
        """The estimate by model ``number`` against so many background patients, and who they are."""
        key = (number, background)
        if key not in self._ready:
            model = self.unseen[number]
            drawn = draw_background(self.models.inputs, self.row, model.trained_on, background)
            estimate = PatientEstimate(self.models, model, self.row, drawn, self.month, self._with(number, drawn))
            self._ready[key] = drawn, estimate
        return self._ready[key]

    def _with(self, number: int, drawn: Background) -> Prepared:
        """Patients that hold the background: those prepared before where they are among them."""
        rows = drawn.rows(self.row)
        held = self._prepared.get(number)
        if held is None or not rows <= set(held.place):
            self._prepared[number] = held = Prepared.of(self.models, self.unseen[number], rows)
        return held
