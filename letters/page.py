"""A letter ready to print, as it goes from who composes it to who prints it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Page:
    """The page, the names of its styles, and the data attached to the PDF as JSON.

    `accent` is the letterhead's colour, `pictures` what the page may show, by name ("letter:NAME" in the page).
    """

    html: str
    styles: tuple[str, ...]
    accent: str
    title: str
    language: str
    day: date
    data: str
    pictures: Mapping[str, bytes]
