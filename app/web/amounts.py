"""Amounts as people type them: 1,234.50 and 1 234,50 are the same. Machines write them otherwise (app.core.money)."""

from decimal import Decimal

from app.core.money import NotMoney, exact

_POINT, _COMMA = ".", ","
_GROUP = 3


def typed(text: str, currency: str, *, decimal_mark: str) -> Decimal:
    """The amount a person typed. `decimal_mark` is their language's, asked only where a figure can be read two ways.

    Raises NotMoney for what is no figure, or finer than the currency.
    """
    figure = "".join(text.split()).replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    figure = figure.removesuffix(currency).removeprefix(currency).strip("€$£")
    mark = _mark(figure, decimal_mark)
    other = _COMMA if mark == _POINT else _POINT
    whole, _, fraction = figure.partition(mark)
    if not _grouped(whole, other) or (fraction and not _digits(fraction)) or len(figure) > _LONGEST:
        raise NotMoney(f"{text[:40]!r} is not an amount; write it like 1234{decimal_mark}50")
    return exact(f"{whole.replace(other, '')}.{fraction or '0'}", currency)


_LONGEST = 24


def _mark(figure: str, decimal_mark: str) -> str:
    """Which sign begins the decimals: the last of two kinds; one sign alone where no thousands can be meant."""
    points, commas = figure.count(_POINT), figure.count(_COMMA)
    if points and commas:
        return max(_POINT, _COMMA, key=figure.rfind)
    only = _POINT if points else _COMMA
    if points + commas == 1 and len(figure.rpartition(only)[2]) != _GROUP:
        return only
    if points + commas > 1:
        return _COMMA if points else _POINT
    return decimal_mark


def _grouped(whole: str, group: str) -> bool:
    """Digits, in threes where they are grouped."""
    first, *rest = whole.split(group)
    in_threes = all(_digits(part) and len(part) == _GROUP for part in rest)
    return _digits(first) and in_threes and (not rest or len(first) <= _GROUP)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()
