"""What was promised for a case as its page shows it: the chip that presses most, and each clock in a line (U23)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from disputes.clock_events import Chip, chip
from disputes.clocks import KINDS, Clock


@dataclass(frozen=True, slots=True)
class Line:
    """One promise: its English name, the clock, and what is to be said of it."""

    label: str
    clock: Clock
    chip: Chip


@dataclass(frozen=True, slots=True)
class Promised:
    """The chip of the case and all its promises, in their order."""

    chip: Chip
    lines: Sequence[Line]


def promised(clocks: Sequence[Clock], now: datetime) -> Promised | None:
    """None where nothing was promised: a case opened by an old mail."""
    whole = chip(clocks, now)
    if whole is None:
        return None
    order = list(KINDS)
    ordered = sorted(clocks, key=lambda one: order.index(one.kind))
    return Promised(whole, [Line(KINDS[one.kind], one, alone) for one in ordered if (alone := chip([one], now))])
