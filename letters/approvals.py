"""Who must look at a letter before it goes. Pure."""

from decimal import Decimal
from typing import Literal, cast

from letters.models import Letter

Approval = Literal["nobody", "agent", "lead"]


def needed(letter: Letter, *, limit: Decimal) -> Approval:
    """What the procedure's level says; a lead for formal notices and for more than `limit` in any currency."""
    above = any(Decimal(str(one)) > limit for one in letter.totals.values())
    if letter.kind == "formal_notice" or above:
        return "lead"
    return cast("Approval", letter.approval)
