"""A PDF read back by another library than the one that made it: its pages, their words, how much ink is on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pypdfium2


@dataclass(frozen=True)
class Page:
    """One page: its words without blanks, its size in millimetres, and the share of it that is not white."""

    text: str
    width: float
    height: float
    ink: float


def pages(pdf: bytes) -> list[Page]:
    """Every page of the file."""
    found = []
    document = pypdfium2.PdfDocument(pdf)
    try:
        for page in document:
            words = page.get_textpage().get_text_bounded()
            dots = page.render(scale=0.5, grayscale=True).to_numpy()
            width, height = (side / 72 * 25.4 for side in page.get_size())
            found.append(Page("".join(words.split()).replace("\u200b", ""), width, height, float((dots < 250).mean())))
    finally:
        document.close()
    return found


def a_picture(pdf: bytes, *, scale: float) -> Any:
    """The first page as grey dots, row by row; ``scale``: dots to the point."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[0].render(scale=scale, grayscale=True).to_numpy().copy().squeeze()
    finally:
        document.close()
