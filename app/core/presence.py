"""Who is looking at what right now, by heartbeat: no change of anything, so no event and no version (U17)."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import String, and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base, BigId

BEAT = timedelta(seconds=20)
"""How often a browser says that it is still there."""
GONE = timedelta(seconds=50)
"""Two beats missed: the browser was closed without a word, or its network is away."""
_FORGET = timedelta(hours=1)
DOING = ("viewing", "replying")


class Presence(Base):
    """A person at a place ("case:7"), what they do there, and when their browser last said so."""

    __tablename__ = "presences"

    place: Mapped[str] = mapped_column(String(60), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    doing: Mapped[str] = mapped_column(String(20))
    seen_at: Mapped[datetime] = mapped_column(index=True)


def arrive(session: Session, *, place: str, user_id: int, doing: str, now: datetime) -> None:
    """Say that a person is there, or still is: one statement, however many of their tabs say so at once."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = insert(Presence).values(place=place, user_id=user_id, doing=doing, seen_at=now)
    told = {"doing": doing, "seen_at": now}
    session.execute(row.on_conflict_do_update(index_elements=["place", "user_id"], set_=told))


def leave(session: Session, *, place: str, user_id: int, now: datetime) -> None:
    """Say that a person went away. Whoever went without a word long ago is forgotten with them."""
    gone = and_(Presence.place == place, Presence.user_id == user_id)
    session.execute(delete(Presence).where(or_(gone, Presence.seen_at < now - _FORGET)))


def everybody(session: Session, *, now: datetime, places: Collection[str] = ()) -> set[tuple[str, int, str]]:
    """Who is anywhere, or at the places given: place, user and what they do."""
    query = select(Presence.place, Presence.user_id, Presence.doing).where(Presence.seen_at > now - GONE)
    if places:
        query = query.where(Presence.place.in_(places))
    return {(place, user, doing) for place, user, doing in session.execute(query)}
