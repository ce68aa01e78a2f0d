"""Who is at a case is known for as long as their browser says so (U17)."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.events import Event
from app.core.presence import BEAT, GONE, Presence, arrive, everybody, leave


def test_who_is_there_is_seen_until_they_leave_or_fall_silent(session: Session, now: datetime) -> None:
    arrive(session, place="case:7", user_id=1, doing="viewing", now=now)
    arrive(session, place="case:7", user_id=2, doing="viewing", now=now)
    arrive(session, place="case:8", user_id=2, doing="viewing", now=now)
    arrive(session, place="case:7", user_id=1, doing="replying", now=now + BEAT)
    here = {("case:7", 1, "replying"), ("case:7", 2, "viewing")}
    assert everybody(session, now=now + BEAT, places=["case:7"]) == here
    assert everybody(session, now=now + BEAT) == here | {("case:8", 2, "viewing")}
    leave(session, place="case:7", user_id=2, now=now + BEAT)
    assert everybody(session, now=now + BEAT, places=["case:7"]) == {("case:7", 1, "replying")}
    assert everybody(session, now=now + BEAT + GONE) == set()


def test_being_there_is_no_event_and_is_forgotten(session: Session, now: datetime) -> None:
    arrive(session, place="case:7", user_id=1, doing="viewing", now=now)
    leave(session, place="case:9", user_id=2, now=now + timedelta(hours=2))
    assert session.scalar(select(func.count()).select_from(Presence)) == 0
    assert session.scalar(select(func.count()).select_from(Event)) == 0
