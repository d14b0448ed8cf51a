"""The one check that stands before every own route."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.errors import PrognoscopeError
from core.serving.tokens import verify
from core.serving.visitor import visitor_of

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Response]

_PRIVATE = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


def guarded(resource: Callable[[Request], str]) -> Callable[[Handler], Handler]:
    """Let a route answer only a request whose token ``?t=`` was signed for this visitor and this resource.

    Parameters
    ----------
    resource : function of the request
        Names what is asked for, e.g. ``"predictions:<run id>"``; it must be the text the token was signed for.

    Returns
    -------
    decorator
        Refusals are JSON with status 403, known failures 404, unknown ones 500 with an error id whose trace
        is only in the log. The handler is a plain function: Starlette runs it in its thread pool.
    """

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def checked(request: Request) -> Response:
            visitor = visitor_of(request.cookies)
            reason = verify(request.query_params.get("t", ""), visitor, resource(request)) if visitor else "no visitor"
            if reason:
                answer = {"error": "this address is not valid here or no longer", "where": "the address"}
                return JSONResponse(answer | {"fix": "open the page again and use its link"}, 403, headers=_PRIVATE)
            try:
                response = handler(request)
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
