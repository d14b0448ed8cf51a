"""The two viewer libraries, as files of the application: public code, fetched once by ``./run``, never from a CDN."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import PrognoscopeError
from core.serving.prefix import prefixed

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "node_modules"

FILES: Mapping[str, str] = {
    "openseadragon.min.js": "openseadragon/build/openseadragon/openseadragon.min.js",
    "niivue.umd.js": "@niivue/niivue/dist/niivue.umd.js",
}
"""Name in the address → file of the package. Both are UMD: a script tag gives ``OpenSeadragon`` and ``niivue``."""

_HEADERS = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True)
class _Bundle:
    content: bytes
    tag: str


def library_address(name: str) -> str:
    """Path at which a page's script loads a library of :data:`FILES`."""
    if name not in FILES:
        raise PrognoscopeError(f"no viewer library named {name!r}", "the viewers", f"use one of {', '.join(FILES)}")
    return prefixed(f"/library/{name}")


def has_library(name: str) -> bool:
    """Whether the library was fetched."""
    return (FOLDER / FILES[name]).is_file()


def missing_library(name: str) -> PrognoscopeError:
    """What to tell who looks at a viewer whose library was never fetched."""
    return PrognoscopeError(
        f"the viewer's library {name} is not installed",
        "assets/node_modules",
        "start with ./run app once while the network is there (it fetches the library), or cd assets && npm ci",
    )


@lru_cache(maxsize=len(FILES))
def _bundle(path: Path, changed: int) -> _Bundle:
    content = path.read_bytes()
    return _Bundle(content, f'"{hashlib.sha256(content).hexdigest()[:20]}"')


def _library(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILES:
        return Response(status_code=404)
    path = FOLDER / FILES[name]
    if not path.is_file():
        return JSONResponse(missing_library(name).as_json(), 404)
    bundle = _bundle(path, path.stat().st_mtime_ns)
    headers = {**_HEADERS, "ETag": bundle.tag}
    if request.headers.get("if-none-match") == bundle.tag:
        return Response(status_code=304, headers=headers)
    return Response(bundle.content, media_type="text/javascript; charset=utf-8", headers=headers)


def routes() -> list[BaseRoute]:
    """The route of the libraries. It asks for no token: this code is public and tells nothing of anybody."""
    return [Route("/library/{name:str}", _library, methods=["GET"])]
