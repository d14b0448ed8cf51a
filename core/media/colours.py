"""Colours as the scanner meant them: from the slide's ICC profile to sRGB, which browsers show."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, ImageCms

ToScreen = Callable[[Image.Image], Image.Image]


def to_srgb(profile: bytes) -> tuple[ToScreen, str]:
    """How pixels with this ICC profile become sRGB, and a word on it for the reader.

    Returns
    -------
    convert : function of an RGB image
    said : str
        ``"colours managed by the slide's ICC profile"``, or that there is none or that it cannot be used.
    """
    if not profile:
        return _same, "no colour profile in the slide file: colours as stored"
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
    except (ImageCms.PyCMSError, OSError):
        return _same, "the slide file's colour profile cannot be used: colours as stored"

    def convert(image: Image.Image) -> Image.Image:
        return ImageCms.applyTransform(image, transform) or image

    return convert, "colours managed by the slide file's ICC profile"


def _same(image: Image.Image) -> Image.Image:
    return image
