"""Reading rules that people wrote: the content of a Policy as a checked, frozen value, or words on what is wrong."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from app.core.errors import BadInput


class BadPolicy(BadInput):
    """Rules that cannot be used; `fields` maps the place ("steps.2.after.days") to what is wrong there."""


class Rules(BaseModel):
    """Base of everything that is policy: unknown keys are refused (S19), values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Read = TypeVar("Read", bound=Rules)


def read(model: type[Read], content: Mapping[str, Any], *, what: str) -> Read:
    """The rules in `content`; `what` names them in the message. Raises BadPolicy naming each place at fault."""
    faults = {_place(place): "holds a sign that cannot be kept (NUL)" for place in _with_nul(content)}
    if faults:  # PostgreSQL keeps no text with one, SQLite does
        raise BadPolicy(f"{what} cannot be used. {_listed(faults)}", fields=faults)
    try:
        return model.model_validate(dict(content))
    except ValidationError as error:
        faults = {_place(one["loc"]): _words(one["msg"]) for one in error.errors(include_url=False)}
        raise BadPolicy(f"{what} cannot be used. {_listed(faults)}", fields=faults) from error


def _with_nul(value: Any, place: tuple[int | str, ...] = ()) -> Iterator[tuple[int | str, ...]]:
    """The places of texts, and of names, that hold a NUL."""
    if isinstance(value, str):
        yield from [place] if "\x00" in value else []
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from [place] if "\x00" in str(name) else _with_nul(one, (*place, str(name)))
    elif isinstance(value, list | tuple):
        for at, one in enumerate(value):
            yield from _with_nul(one, (*place, at))


def _listed(faults: Mapping[str, str]) -> str:
    return "; ".join(f"{place}: {words}" if place else words for place, words in faults.items())


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")
