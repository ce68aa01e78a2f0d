"""Who may see which rows, as conditions of the query itself: what is not selected cannot leak (S17)."""

from sqlalchemy import ColumnElement, Select, and_, or_, select, true

from app.auth import User, entity_codes
from disputes.models import Case, Message
from invoices.models import Account, Entity


def visible_to(user: User) -> ColumnElement[bool]:
    """Cases the user may see: those of their entities; a finance owner only their own and their team's.

    `user.entities` must be loaded. A case of no entity (mail to an unknown mailbox) is seen by those who see all.
    """
    entities = entities_of(user)
    within: ColumnElement[bool] = true() if entities is None else Case.entity_id.in_(entities)
    if user.role != "owner":
        return within
    theirs: ColumnElement[bool] = Case.owner_id == user.id
    if user.team_id is not None:
        theirs = or_(theirs, Case.team_id == user.team_id)
    return and_(within, theirs)


def visible_messages(user: User) -> ColumnElement[bool]:
    """Messages the user may see: through their case, and for desk staff those without one in their entities."""
    of_case = Message.case_id.in_(select(Case.id).where(visible_to(user)))
    if user.role == "owner":
        return of_case
    entities = entities_of(user)
    loose: ColumnElement[bool] = true() if entities is None else Message.entity_id.in_(entities)
    return or_(of_case, and_(Message.case_id.is_(None), loose))


def visible_accounts(user: User) -> ColumnElement[bool]:
    """Accounts of the user's entities."""
    entities = entities_of(user)
    return true() if entities is None else Account.entity_id.in_(entities)


def entities_of(user: User) -> Select[int] | None:
    """Ids of the entities the user is limited to; None means all."""
    codes = entity_codes(user)
    return None if codes is None else select(Entity.id).where(Entity.code.in_(codes))
