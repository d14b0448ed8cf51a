"""Short-lived signed tokens: own routes get no login from the pages, so every address carries one."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

MAX_AGE_SECONDS = 15 * 60

_SECRET = secrets.token_hex(32)
"""One secret a process: pages and routes live in the same process, and a restart voids every address given out."""


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_SECRET, salt="prognoscope-own-routes")


def sign(user: str, resource: str) -> str:
    """A token that lets ``user`` read ``resource`` (``"predictions:<run id>"``) for :data:`MAX_AGE_SECONDS`.

    The token stands in an address and anybody can decode it: it holds a keyed hash of the user, never the name or
    the cookie itself, which would let whoever sees the address pass for that user.
    """
    return str(_serializer().dumps([_seal(user), resource]))


def _seal(user: str) -> str:
    return hmac.new(_SECRET.encode(), user.encode(), hashlib.sha256).hexdigest()


def verify(token: str, user: str, resource: str, max_age: float = MAX_AGE_SECONDS) -> str:
    """Why the token does not open ``resource`` for ``user``: ``""`` when it does.

    Returns one of ``""``, ``"missing"``, ``"expired"``, ``"invalid"``, ``"other resource"``, ``"other user"``.
    """
    if not token:
        return "missing"
    try:
        signed_user, signed_resource = _serializer().loads(token, max_age=int(max_age))
    except SignatureExpired:
        return "expired"
    except (BadSignature, ValueError, TypeError):
        return "invalid"
    if signed_resource != resource:
        return "other resource"
    return "" if hmac.compare_digest(str(signed_user), _seal(user)) else "other user"
