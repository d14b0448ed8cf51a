"""Whole-slide images: pixels at any level, and how large a pixel is. Only the tissue image is ever read.

The label and macro images that a slide file carries can show a name or a bar code: there is no way to them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from core.errors import PrognoscopeError

RGB = NDArray[np.uint8]

PLAUSIBLE_MPP = (0.05, 20.0)
"""µm per pixel of a microscope; a TIFF that says 72 dots per inch (353 µm/px) says nothing about the tissue."""
MOST_PLAIN_PIXELS = 100_000_000
"""A file without tiles is read whole: at most so many pixels."""
MOST_LEVEL_PIXELS = 2_500_000_000
"""Pixels of the smallest level of a slide, which a far view and the search for tissue read whole: 50 000 a side."""
UNUSABLE_PROFILE = b"unusable"
"""Stands for an ICC profile that is damaged."""
_CACHE_BYTES = 192 << 20
_OBJECTIVE = 10.0  # µm/px × magnification of the usual scanners: 20x = 0.5, 40x = 0.25


@dataclass(frozen=True)
class Resolution:
    """µm per level-0 pixel (None when nobody knows) and where the number comes from, in words."""

    mpp: float | None
    source: str
    stated: bool


class _Reader(Protocol):
    """What a file format has to offer."""

    sizes: tuple[tuple[int, int], ...]
    downsamples: tuple[float, ...]
    properties: Mapping[str, str]
    profile: bytes

    def read(self, x: int, y: int, width: int, height: int, level: int) -> RGB: ...

    def close(self) -> None: ...


class Slide:
    """An open slide, a context manager.

    ``dimensions`` (width, height) of level 0 · ``levels`` (width, height) of each level · ``downsamples`` level-0
    pixels per pixel of each level · ``mpp`` µm per level-0 pixel or None · ``mpp_source`` where that number comes from
    · ``mpp_stated`` False when it was estimated or assumed · ``power`` magnification of the objective or None ·
    ``profile`` ICC profile of the colours that :meth:`read` gives, empty where the file has none.
    """

    def __init__(self, reader: _Reader, resolution: Resolution) -> None:
        self._reader = reader
        self.levels, self.downsamples = reader.sizes, reader.downsamples
        self.mpp, self.mpp_source, self.mpp_stated = resolution.mpp, resolution.source, resolution.stated
        self.power, self.profile = _number(reader.properties.get("openslide.objective-power")), reader.profile

    def __enter__(self) -> Slide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    @property
    def dimensions(self) -> tuple[int, int]:
        return self.levels[0]

    def known_mpp(self) -> float:
        """``mpp``, or an error that asks for it."""
        if self.mpp is None:
            raise PrognoscopeError(
                "no pixel size (µm per pixel)", "a slide file", "give it when the slide is opened, or export it again"
            )
        return self.mpp

    def level_for(self, downsample: float) -> int:
        """The smallest level that still has at least the wanted detail."""
        fitting = [i for i, d in enumerate(self.downsamples) if d <= downsample * 1.01]
        return max(fitting, key=lambda i: self.downsamples[i]) if fitting else 0

    def read(self, x: int, y: int, width: int, height: int, level: int = 0) -> RGB:
        """(height, width, 3) uint8: ``width`` × ``height`` pixels of ``level``, its corner at level-0 pixel (x, y).

        Outside the slide is white.
        """
        return self._reader.read(x, y, width, height, level)


def open_slide(
    path: str | Path, mpp: float | None = None, assumed_mpp: float | None = None, cache_bytes: int = _CACHE_BYTES
) -> Slide:
    """Open a slide.

    Parameters
    ----------
    path : str or Path
        Any format OpenSlide reads, or a plain image (TIFF, PNG, JPEG) of at most 100 million pixels.
    mpp : float, optional
        µm per pixel given by a person; it wins over the file.
    assumed_mpp : float, optional
        Taken, and said, when neither the file nor the objective tells.
    cache_bytes : int
        Memory for decoded pieces of the file.

    Raises
    ------
    PrognoscopeError
        For a file that no reader can open. The message holds no path.
    """
    place = Path(path)
    reader = _open_reader(place, cache_bytes)
    return Slide(reader, _resolution(reader.properties, mpp, assumed_mpp))


def _resolution(properties: Mapping[str, str], given: float | None, assumed: float | None) -> Resolution:
    if given is not None:
        return Resolution(given, "given by the user", True)
    sides = [_number(properties.get(f"openslide.mpp-{axis}")) for axis in "xy"]
    if all(s is not None and PLAUSIBLE_MPP[0] <= s <= PLAUSIBLE_MPP[1] for s in sides):
        return Resolution(sum(s for s in sides if s is not None) / 2, "stated in the slide file", True)
    power = _number(properties.get("openslide.objective-power"))
    if power:
        return Resolution(_OBJECTIVE / power, f"estimated from the {power:g}x objective", False)
    if assumed is not None:
        return Resolution(assumed, f"assumed {assumed:g} µm/px: the slide file states none", False)
    return Resolution(None, "not stated in the slide file", False)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else 0.0
    except ValueError:
        return None
    return value if value > 0 and np.isfinite(value) else None


def _open_reader(path: Path, cache_bytes: int) -> _Reader:
    import openslide

    if not path.is_file():
        raise PrognoscopeError("a slide file that is missing", "the slides of a patient", "restore it, or import again")
    try:
        return _OpenSlideReader(openslide.OpenSlide(str(path)), cache_bytes)
    except openslide.OpenSlideUnsupportedFormatError:
        return _PlainReader(path)
    except openslide.OpenSlideError as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> PrognoscopeError:
    return PrognoscopeError(
        "a slide that cannot be read (damaged or of an unknown format)",
        f"a {path.suffix.lower() or 'nameless'} file",
        "export it again",
    )


def _too_large(path: Path) -> PrognoscopeError:
    return PrognoscopeError(
        f"an image without tiles of more than {MOST_PLAIN_PIXELS // 1_000_000} million pixels",
        f"a {path.suffix.lower()} file",
        "save it as a tiled pyramid (e.g. vips tiffsave --tile --pyramid)",
    )


class _OpenSlideReader:
    def __init__(self, handle: Any, cache_bytes: int) -> None:
        import openslide

        self._handle = handle
        handle.set_cache(openslide.OpenSlideCache(cache_bytes))  # a row of tiles is read by several rows of patches
        self.sizes = tuple((int(w), int(h)) for w, h in handle.level_dimensions)
        self.downsamples = tuple(float(d) for d in handle.level_downsamples)
        self.properties: Mapping[str, str] = dict(handle.properties)
        try:
            self._check()
        except PrognoscopeError:
            handle.close()
            raise
        try:
            profile = handle.color_profile
            self.profile: bytes = b"" if profile is None else profile.tobytes()
        except ImageCms.PyCMSError:
            self.profile = UNUSABLE_PROFILE

    def _check(self) -> None:
        """Refuse by what the file declares, before anything is decoded: a few bytes can claim any size."""
        width, height = self.sizes[-1]
        tiles = (
            (_number(self.properties.get(f"openslide.level[{i}].tile-width")) or 0)
            * (_number(self.properties.get(f"openslide.level[{i}].tile-height")) or 0)
            for i in range(len(self.sizes))
        )
        if width * height > MOST_LEVEL_PIXELS or max(tiles) > MOST_PLAIN_PIXELS:
            raise PrognoscopeError(
                f"a slide whose smallest level is {width:,} × {height:,} pixels, or one of huge tiles", "a slide file",
                "save it as a tiled pyramid (e.g. vips tiffsave --tile --pyramid)",
            )  # fmt: skip

    def read(self, x: int, y: int, width: int, height: int, level: int) -> RGB:
        import openslide

        try:
            region = self._handle.read_region((x, y), level, (width, height))
        except openslide.OpenSlideError as error:
            raise PrognoscopeError("a damaged part of a slide", "a slide file", "export it again") from error
        if region.getchannel("A").getextrema()[0] == 255:
            return np.asarray(region.convert("RGB"))
        pixels = np.asarray(region)
        share = pixels[..., 3:].astype(np.float32) / 255
        return np.asarray(pixels[..., :3] * share + 255 * (1 - share), dtype=np.uint8)

    def close(self) -> None:
        self._handle.close()


class _PlainReader:
    """An image without levels, held in memory."""

    def __init__(self, path: Path) -> None:
        try:
            with Image.open(path) as image:
                if image.width * image.height > MOST_PLAIN_PIXELS:
                    raise _too_large(path)
                self._pixels: RGB = np.asarray(image.convert("RGB"))
                per_inch = image.info.get("dpi", (0, 0))
                # a profile of other channels (CMYK, grey) does not fit what convert() gives
                self.profile: bytes = image.info.get("icc_profile") or b"" if image.mode in ("RGB", "RGBA") else b""
        except Image.DecompressionBombError as error:
            raise _too_large(path) from error
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            raise _unreadable(path) from error
        height, width = self._pixels.shape[:2]
        self.sizes: tuple[tuple[int, int], ...] = ((width, height),)
        self.downsamples: tuple[float, ...] = (1.0,)
        names = ("openslide.mpp-x", "openslide.mpp-y")
        self.properties: Mapping[str, str] = {
            n: str(25_400 / float(d)) for n, d in zip(names, per_inch, strict=True) if float(d) > 0
        }

    def read(self, x: int, y: int, width: int, height: int, level: int) -> RGB:
        canvas = np.full((height, width, 3), 255, dtype=np.uint8)
        rows, columns = self._pixels.shape[:2]
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, columns), min(y + height, rows)
        if left < right and top < bottom:
            canvas[top - y : bottom - y, left - x : right - x] = self._pixels[top:bottom, left:right]
        return canvas

    def close(self) -> None:
        self._pixels = np.zeros((0, 0, 3), dtype=np.uint8)
