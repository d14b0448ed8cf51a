"""The one check that stands before every own route."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.access.actor import Actor, acting, actor
from core.access.audit_entry import Action
from core.access.audit_log import AuditError
from core.access.record import record
from core.access.refusals import note_refusal
from core.access.roles import Permission
from core.errors import PrognoscopeError
from core.results.run_store import load_run
from core.results.workspace import Workspace
from core.serving.gate import ACTOR
from core.serving.tokens import verify
from core.serving.visitor import visitor_of

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Response]

_PRIVATE = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


def guarded(
    resource: Callable[[Request], str],
    cohort: Callable[[Request], str],
    needs: Permission = Permission.READ,
    exported: str = "",
) -> Callable[[Handler], Handler]:
    """Let a route answer only a request whose token ``?t=`` was signed for this visitor and this resource, by somebody
    whose role and grants still allow it.

    Parameters
    ----------
    resource : function of the request
        Names what is asked for, e.g. ``"predictions:<run id>"``; it must be the text the token was signed for.
    cohort : function of the request
        Whose patients it is about. Asked after the token was found good.
    needs : Permission
        What the role must allow.
    exported : str
        Kind of file, where an answer takes data out of the application and is recorded.

    Returns
    -------
    decorator
        Refusals are JSON with status 403, known failures 404, unknown ones 500 with an error id whose trace
        is only in the log. The handler is a plain function: Starlette runs it in its thread pool.
    """

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def checked(request: Request) -> Response:
            who = request.scope.get(ACTOR) or actor()
            who = replace(who, through="route")
            visitor = visitor_of(request.cookies)
            reason = verify(request.query_params.get("t", ""), visitor, resource(request)) if visitor else "no visitor"
            if reason:
                return _refused(who, f"token-{reason}".replace(" ", "-"))
            try:
                name = cohort(request)
                if not who.may(needs) or not who.may_see(name):
                    return _refused(who, "not-granted", name)
                with acting(who):
                    response = handler(request)
                    if exported and response.status_code < 400:
                        run = request.path_params.get("run", "")
                        record(Action.EXPORT, Workspace.default(), cohort=name, run=run, detail=exported)
            except AuditError as error:
                return JSONResponse(error.as_json(), 503, headers=_PRIVATE)
            except PrognoscopeError as error:
                return JSONResponse(error.as_json(), 404, headers=_PRIVATE)
            except Exception:
                error_id = secrets.token_hex(4)
                logger.exception("Error %s in a route", error_id)
                answer = {"error": f"something went wrong (error {error_id})", "where": "the server"}
                return JSONResponse(answer | {"fix": "look for the error id in the log"}, 500, headers=_PRIVATE)
            response.headers.update(_PRIVATE)
            return response

        return checked

    return decorate


def cohort_of_run(run: str) -> str:
    """The cohort a run was trained on."""
    return load_run(run, Workspace.default()).cohort


def _refused(who: Actor, why: str, cohort: str = "") -> Response:
    note_refusal(Workspace.default(), who, why, cohort)
    answer = {"error": "this address is not valid here or no longer", "where": "the address"}
    return JSONResponse(answer | {"fix": "open the page again and use its link"}, 403, headers=_PRIVATE)
