"""What stands on a page of a PDF, as a person sees it: rows of cells, each with its place."""

import io
import re
from dataclasses import dataclass

from pypdf import PdfReader
from pypdf.errors import PyPdfError


class Unreadable(Exception):
    """The bytes are no PDF that can be read."""


@dataclass(frozen=True)
class Cell:
    column: int  # in characters from the left edge
    text: str


def rows_of(data: bytes) -> list[list[Cell]]:
    """The rows of all pages in `data`, from top to bottom. Two spaces or more part the cells."""
    try:
        pages = PdfReader(io.BytesIO(data)).pages
        text = "\n".join(
            page.extract_text(extraction_mode="layout", layout_mode_space_vertically=False)
            for page in pages
        )
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # The library stumbles over broken files in all of these ways; each means the same to us.
        raise Unreadable(str(error) or type(error).__name__) from error
    cells = ([Cell(m.start(), m.group()) for m in re.finditer(r"\S+(?: \S+)*", line)] for line in text.splitlines())
    return [row for row in cells if row]
