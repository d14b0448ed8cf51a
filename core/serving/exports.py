"""Downloads served outside the pages: a run's predictions, and its estimates of another cohort, as CSV."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.access.roles import Permission
from core.results.naming import badge
from core.results.prediction import Predictions
from core.results.prediction_set import PredictionSet, load_prediction_set
from core.results.run_store import load_predictions, load_run
from core.results.spreadsheet import inert_csv
from core.results.workspace import Workspace, checked_name
from core.serving.guard import cohort_of_run, guarded
from core.serving.prefix import prefixed
from core.serving.tokens import sign


def predictions_resource(run_id: str) -> str:
    """What a token for a run's predictions is signed for."""
    return f"predictions:{run_id}"


def predictions_url(run_id: str, visitor: str) -> str:
    """Address (path and query) at which ``visitor`` may download a run's predictions for the next minutes."""
    token = sign(visitor, predictions_resource(run_id))
    return prefixed(f"/export/predictions/{quote(checked_name(run_id, 'run id'))}.csv?t={token}")


def predictions_csv(predictions: Predictions, protocol: str = "honest") -> str:
    """One row a patient and seed: pseudonym, fold, seed, entry, time, event, risk, S(t) a column a month."""
    table = predictions.as_table()
    table["predicted"] = badge(protocol, predictions.in_sample)
    return inert_csv(table)


@guarded(
    lambda request: predictions_resource(request.path_params["run"]),
    lambda request: cohort_of_run(request.path_params["run"]),
    Permission.EXPORT,
    exported="predictions-csv",
)
def _predictions(request: Request) -> Response:
    workspace = Workspace.default()
    run = load_run(request.path_params["run"], workspace)
    text = predictions_csv(load_predictions(run.id, workspace), run.protocol)
    name = f"{'synthetic-' if run.synthetic else ''}{run.id}-predictions.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def estimates_resource(set_id: str) -> str:
    """What a token for a set of estimates is signed for."""
    return f"estimates:{set_id}"


def estimates_url(set_id: str, visitor: str) -> str:
    """Address (path and query) at which ``visitor`` may download a set of estimates for the next minutes."""
    token = sign(visitor, estimates_resource(set_id))
    return prefixed(f"/export/estimates/{quote(checked_name(set_id, 'id of a set of estimates'))}.csv?t={token}")


def estimates_csv(found: PredictionSet) -> str:
    """One row a patient: pseudonym, supported, reason, risk, and S, low and high a month; empty where no number."""
    table = found.estimates_table()
    table["run"], table["spread"] = found.run, "quantiles {:g} to {:g} over the models".format(*found.spread)
    return inert_csv(table)


@guarded(
    lambda request: estimates_resource(request.path_params["set"]),
    lambda request: load_prediction_set(request.path_params["set"], Workspace.default()).cohort,
    Permission.EXPORT,
    exported="estimates-csv",
)
def _estimates(request: Request) -> Response:
    found = load_prediction_set(request.path_params["set"], Workspace.default())
    name = f"{'synthetic-' if found.synthetic else ''}{found.id}-estimates.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(estimates_csv(found), media_type="text/csv; charset=utf-8", headers=headers)


def routes() -> list[BaseRoute]:
    """The own routes of the application; each stands behind :func:`core.serving.guard.guarded`."""
    return [
        Route("/export/predictions/{run:str}.csv", _predictions, methods=["GET"]),
        Route("/export/estimates/{set:str}.csv", _estimates, methods=["GET"]),
    ]
