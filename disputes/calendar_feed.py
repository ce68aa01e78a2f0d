"""A person's tasks as an iCalendar file (RFC 5545), for the calendar program they use anyway. Pure.

A task is a short event, not a VTODO: the large calendar services show no to-dos of a subscribed calendar. It blocks no
time. UIDs are stable, so that a program changes an entry instead of adding a second one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

LONG = timedelta(minutes=15)
REFRESH = timedelta(minutes=30)
PRODUCT = "-//Amiable//Tasks//EN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A task in a calendar: what it is called, where it is done (an address), when it is due."""

    number: int
    title: str
    url: str
    due_at: datetime
    made_at: datetime


def feed(entries: Iterable[Entry], *, name: str, host: str) -> bytes:
    """The file: `name` is what the calendar is called, `host` makes UIDs unique in the world."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)  # RFC 7986; the next line is what programs from before it read
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT30M")
    for entry in entries:
        calendar.add_component(_event(entry, host))
    return bytes(calendar.to_ical())


def _event(entry: Entry, host: str) -> Event:
    event = Event()
    event.add("uid", f"task-{entry.number}@{host}")
    event.add("dtstamp", entry.made_at.astimezone(UTC))
    event.add("dtstart", entry.due_at.astimezone(UTC))
    event.add("duration", LONG)
    event.add("summary", entry.title)
    event.add("description", entry.url)
    event.add("url", entry.url)
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    return event
