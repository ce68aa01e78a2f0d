"""What the page behind a digest link shows: may it still act, what would it act on, what did it. It reads only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.auth import User
from disputes.digest_tokens import LinkedAction
from disputes.digests import Item
from disputes.models import ActionUse, Case
from disputes.queries.digests import decides, item_of
from disputes.queries.filters import STATES_OPEN
from invoices.models import Entity

State = Literal["ready", "done", "expired", "gone", "over", "forged"]


@dataclass(frozen=True, slots=True)
class LinkView:
    """`state`: ready to act, done (by this link, at `used_at`), expired, gone (not theirs any more), over (the case is
    settled), forged. What a forged link names is not looked at.
    """

    state: State
    user: User | None = None
    entity: Entity | None = None
    item: Item | None = None
    used_at: datetime | None = None


def link_view(session: Session, *, linked: LinkedAction) -> LinkView:
    """How a link stands now. What was done is shown even when its time is over."""
    if linked.verdict == "forged":
        return LinkView("forged")
    user = session.scalar(select(User).where(User.id == linked.user_id).options(selectinload(User.entities)))
    if user is None or not user.active:
        return LinkView("gone")
    used = session.get(ActionUse, linked.nonce)
    item = item_of(session, user=user, case_id=linked.case_id)
    case = session.get(Case, linked.case_id) if item is not None else None
    entity = session.get(Entity, case.entity_id) if case is not None and case.entity_id is not None else None
    if used is not None:
        return LinkView("done", user, entity, item, used.at)
    if linked.verdict == "expired":
        return LinkView("expired", user)
    if item is None or case is None or not decides(session, user=user, case_id=linked.case_id):
        return LinkView("gone", user)
    return LinkView("ready" if case.state in STATES_OPEN else "over", user, entity, item)
