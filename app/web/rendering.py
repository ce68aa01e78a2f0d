"""Templates: one Jinja environment per language (they share no translation state), icons, assets by hashed name."""

import json
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.core.i18n import words
from app.web import labels
from app.web.telling import said

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


@cache
def environment(language: str) -> Environment:
    """The templates of one language."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found.install_gettext_translations(words(language).catalog, newstyle=True)  # type: ignore[attr-defined] # by the extension
    found.globals.update(icon=icon, asset=asset, query=query, labels=labels, tone=tone, initials=initials)
    found.globals.update(said=partial(said, words=words(language)))
    return found


def render(template: str, language: str, context: Mapping[str, Any]) -> str:
    """The page as HTML."""
    return environment(language).get_template(template).render(context)


def asset(name: str) -> str:
    """The address of a built file: its name carries a hash, so browsers may keep it for ever."""
    return f"/static/{_manifest().get(name, name)}"


def built(name: str) -> str:
    """The content of a built text file; empty without a build."""
    path = STATIC / _manifest().get(name, name)
    return path.read_text(encoding="utf-8") if path.exists() else ""


@cache
def _manifest() -> Mapping[str, str]:
    """What the front-end build wrote. Without a build the pages work, unstyled."""
    path = STATIC / "manifest.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


@cache
def icon(name: str) -> Markup:
    """An icon of the page's sprite (layout/icons.html); decoration only, so hidden from screen readers."""
    return Markup('<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><use href="#i-{}"/></svg>').format(name)


def query(values: Mapping[str, Any], **changes: Any) -> str:
    """The address's query with some values changed; empty ones fall away."""
    kept = {name: value for name, value in {**values, **changes}.items() if value not in (None, "", False)}
    text = urlencode({name: "1" if value is True else value for name, value in kept.items()})
    return f"?{text}" if text else ""


TONES = 5


def tone(name: str) -> int:
    """Which of the avatars' tints a name gets, always the same."""
    return sum(map(ord, name)) % TONES


def initials(name: str) -> str:
    """Marie Dupont -> MD; an address gives its first letter."""
    parts = [part for part in name.replace(".", " ").split("@", 1)[0].split() if part[:1].isalnum()]
    if not parts:
        return "?"
    return (parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")).upper()
