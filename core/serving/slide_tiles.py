"""Deep-zoom tiles and patches of a patient's slides, from the original files. Labels and macro images: there is no way.

Every address holds an opaque id and a token that was signed for one visitor and one slide.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.errors import PrognoscopeError
from core.media.deep_zoom import DeepZoom, jpeg
from core.results.workspace import Workspace
from core.serving.guard import guarded
from core.serving.open_slides import opened_slide, tile_jpeg
from core.serving.prefix import prefixed
from core.serving.slide_ids import SlideRef, slide_id, slide_ref
from core.serving.tokens import sign

PATCH_PIXELS = 128
_LONGEST_SIDE = 16_384


def slide_resource(name: str) -> str:
    """What a token for the tiles and patches of a slide is signed for."""
    return f"slide:{name}"


def slide_address(ref: SlideRef) -> str:
    """Path that the addresses of a slide begin with: ``.dzi``, ``_files/…`` and ``/patch/…`` follow."""
    return prefixed(f"/slide/{slide_id(ref)}")


def slide_token(ref: SlideRef, visitor: str) -> str:
    """The token with which ``visitor`` may read the tiles and patches of a slide for the next minutes."""
    return sign(visitor, slide_resource(slide_id(ref)))


def _guard_slide(request: Request) -> str:
    return slide_resource(request.path_params["slide"])


def _cohort(request: Request) -> str:
    return slide_ref(request.path_params["slide"]).cohort


def _pyramid(request: Request) -> DeepZoom:
    return opened_slide(slide_ref(request.path_params["slide"]), Workspace.default())


@guarded(_guard_slide, _cohort)
def _descriptor(request: Request) -> Response:
    return Response(_pyramid(request).descriptor(), media_type="application/xml")


@guarded(_guard_slide, _cohort)
def _tile(request: Request) -> Response:
    where = request.path_params
    content = tile_jpeg(_pyramid(request), where["level"], where["column"], where["row"])
    return Response(content, media_type="image/jpeg")


@guarded(_guard_slide, _cohort)
def _patch(request: Request) -> Response:
    where, pyramid = request.path_params, _pyramid(request)
    x, y, side = where["x"], where["y"], where["side"]
    width, height = pyramid.slide.dimensions
    if not (x < width and y < height and 0 < side <= _LONGEST_SIDE):
        raise PrognoscopeError("a patch outside the slide", "the address of a patch", "open the page again")
    return Response(jpeg(pyramid.patch(x, y, side, PATCH_PIXELS)), media_type="image/jpeg")


def routes() -> list[BaseRoute]:
    """Descriptor, tiles and patches."""
    return [
        Route("/slide/{slide:str}.dzi", _descriptor, methods=["GET"]),
        Route("/slide/{slide:str}_files/{level:int}/{column:int}_{row:int}.jpeg", _tile, methods=["GET"]),
        Route("/slide/{slide:str}/patch/{x:int}_{y:int}_{side:int}.jpeg", _patch, methods=["GET"]),
    ]
