"""Every word of the interface has its translation: catalogs against the template, the template against the sources."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = {
    "_": None,
    "_l": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
"""Functions whose first arguments are words for people; _l and N_ mark words that are translated later."""

PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|\{\w*\}")


def main() -> int:
    """Print what is missing; 0 when nothing is."""
    faults = list(project_faults(ROOT))
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if faults else 0


def project_faults(root: Path) -> Iterator[str]:
    """What is wrong in the project at `root`, a line each."""
    template = read_catalog(root / "app/locale/messages.pot")
    yield from forgotten(template, used_messages(root))
    for path in sorted((root / "app/locale").glob("*/LC_MESSAGES/messages.po")):
        language = path.parent.parent.name
        catalog = read_catalog(path, language)
        yield from (f"{language}: {fault}" for fault in untranslated(template, catalog))
        yield from (f"{language}: {fault}" for fault in uncompiled(catalog, path.with_suffix(".mo")))


def read_catalog(path: Path, language: str | None = None) -> Catalog:
    """A .po or .pot file."""
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="messages")


def used_messages(root: Path) -> dict[tuple[str, str | None], str]:
    """Messages and their contexts as the sources use them now, with one place each."""
    with (root / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(root, methods, options, keywords=KEYWORDS, directory_filter=_is_source)
    return {(_first(message), context): f"{path}:{line}" for path, line, message, _comments, context in found}


def _is_source(folder: str | Path) -> bool:
    return not Path(folder).name.startswith((".", "node_modules", "static", "tests", "var"))


def _first(message: str | tuple[str, ...] | None) -> str:
    return message[0] if isinstance(message, tuple) else str(message)


def forgotten(template: Catalog, used: dict[tuple[str, str | None], str]) -> Iterator[str]:
    """Messages the sources use that the template lacks, and the reverse."""
    known = {(_first(message.id), message.context) for message in template if message.id}
    for message, context in sorted(used.keys() - known, key=str):
        yield f"{used[message, context]}: {message!r} is not in messages.pot: make messages"
    for message, _context in sorted(known - used.keys(), key=str):
        yield f"messages.pot: {message!r} is used nowhere: make messages"


def untranslated(template: Catalog, catalog: Catalog) -> Iterator[str]:
    """Messages of the template without a finished translation: missing, fuzzy, a plural short, a placeholder lost."""
    for message in template:
        if message.id:
            translated = catalog.get(message.id, context=message.context)
            fault = _fault(message, translated, catalog.num_plurals)
            if fault:
                yield f"{_first(message.id)!r} {fault}"


def _fault(message: Message, translated: Message | None, plurals: int) -> str:
    strings = _strings(translated) if translated else []
    if translated is None or not all(strings) or not strings:
        return "is not translated"
    if translated.fuzzy:
        return "is marked fuzzy"
    if isinstance(message.id, tuple) and len(strings) != plurals:
        return f"has {len(strings)} plural forms of {plurals}"
    lost = [string for string in strings if not set(PLACEHOLDER.findall(string)) <= _placeholders(message)]
    kept = {name for string in strings for name in PLACEHOLDER.findall(string)}
    return "differs in its placeholders" if lost or kept != _placeholders(message) else ""


def _strings(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, list | tuple) else [str(message.string or "")]


def _placeholders(message: Message) -> set[str]:
    texts = message.id if isinstance(message.id, list | tuple) else [str(message.id)]
    return {name for text in texts for name in PLACEHOLDER.findall(text)}


def uncompiled(catalog: Catalog, path: Path) -> Iterator[str]:
    """Messages of a catalog that its compiled file lacks or has otherwise: gettext would show English in silence."""
    if not path.exists():
        yield f"{path.name} is missing: make run compiles it"
        return
    with path.open("rb") as file:
        compiled = read_mo(file)
    for message in catalog:
        if message.id and not message.fuzzy:
            there = compiled.get(message.id, context=message.context)
            if there is None or _strings(there) != _strings(message):
                yield f"{_first(message.id)!r} differs in {path.name}"


if __name__ == "__main__":
    sys.exit(main())
