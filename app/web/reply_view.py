"""What the reply composer shows: the words so far, what they are sent with, what to think about."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.web import labels
from app.web.desk import Desk
from disputes import tone
from disputes.actions.replies import Ends, File, Words, changes_after, ends_of, proposed
from disputes.models import Case, Draft
from disputes.queries.replies import CaseFile, case_files, draft_for, known_addresses, newest_event
from disputes.queries.similar import Suggested, suggested
from disputes.reasons import DISPUTE
from disputes.tone import Flag

N_ = str  # marks a msgid for extraction
FAULTS: Mapping[str, str] = {
    "to": N_("This is no e-mail address."),
    "cc": N_("One of the copies goes to no e-mail address, or there are too many."),
    "subject": N_("The subject is too long."),
    "body": N_("Write something first."),
    "files": N_("A file is empty, too large or not there any more. Take it out and attach it again."),
    "from": N_("There is no mailbox to send from: an administrator gives the case's entity one."),
}
"""What is wrong with each part of an answer."""


@dataclass(frozen=True, slots=True)
class State:
    """What there is to know about a draft while it is written. `elsewhere`: it went another way in another tab."""

    saved_at: datetime | None
    elsewhere: bool
    flags: Sequence[Flag]
    mark: str
    knowingly: bool
    changes: Sequence[str]
    strangers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Composer:
    """The composer of one case. `version` and `event` are how much of the case this page shows (U18)."""

    words: Words
    cc: str
    files: Sequence[File]
    version: int
    event: int
    saved: str
    ends: Ends
    suggested: Suggested
    resolution: str
    addresses: Mapping[str, str]
    case_files: Sequence[CaseFile]
    state: State
    faults: Mapping[str, str]
    quote: bool
    keep: bool


def composer_of(
    desk: Desk,
    case: Case,
    *,
    typed: Words | None = None,
    changes: Sequence[str] = (),
    faults: Mapping[str, str] | None = None,
    elsewhere: bool = False,
    quote: bool = True,
    keep: bool = False,
) -> Composer:
    """The composer for the user's draft in a case, or for an empty answer where there is none.

    `typed` is what came with a form that was refused: it may be more than a draft can keep.
    """
    draft = draft_for(desk.session, user=desk.user, case_id=case.id)
    words = words_of(draft) if draft else proposed(desk.session, case=case)
    words = replace(typed, files=words.files) if typed else words
    offered = suggested(desk.session, user=desk.user, case=case, now=desk.now)
    addresses = known_addresses(desk.session, case=case)
    return Composer(
        words=words,
        cc=", ".join(words.cc),
        files=words.files or (),
        version=case.version,
        event=newest_event(desk.session, case_id=case.id),
        saved=saved_mark(draft),
        ends=ends_of(desk.session, case=case, actor=desk.actor, now=desk.now),
        suggested=offered,
        resolution=_resolution(case, offered),
        addresses=addresses,
        case_files=case_files(desk.session, case_id=case.id),
        state=_state(case, draft, words, addresses, changes=changes, elsewhere=elsewhere),
        faults={name: said if name in (faults or ()) else "" for name, said in FAULTS.items()},
        quote=quote,
        keep=keep,
    )


def state_of(desk: Desk, case: Case, *, event: int | None, saved: str, knowingly: str) -> State:
    """The state of the user's draft, as a page sees it that was made at an event."""
    draft = draft_for(desk.session, user=desk.user, case_id=case.id)
    changes = changes_after(desk.session, case_id=case.id, event=event, but=desk.actor) if event is not None else []
    addresses = known_addresses(desk.session, case=case)
    words = words_of(draft) if draft else Words(to="", subject="", body="")
    elsewhere = saved != saved_mark(draft)
    return _state(case, draft, words, addresses, changes=changes, knowingly=knowingly, elsewhere=elsewhere)


def _state(
    case: Case,
    draft: Draft | None,
    words: Words,
    addresses: Mapping[str, str],
    *,
    changes: Sequence[str],
    knowingly: str = "",
    elsewhere: bool = False,
) -> State:
    flags = tone.check(words.body, case.language)
    mark = tone.mark_of(flags)
    return State(
        saved_at=draft.saved_at if draft else None,
        elsewhere=elsewhere,
        flags=flags,
        mark=mark,
        knowingly=bool(mark) and knowingly == mark,
        changes=[labels.happened(verb)[1] for verb in changes],
        strangers=[one for one in (words.to, *words.cc) if "@" in one and _bare(one) not in addresses],
    )


def words_of(draft: Draft) -> Words:
    """The draft's words, with its files."""
    files = tuple(File(**one) for one in draft.attachments)
    return Words(to=draft.to, subject=draft.subject, body=draft.body, cc=tuple(map(str, draft.cc)), files=files)


def saved_mark(draft: Draft | None) -> str:
    """Tells one saving of a draft from another; "" for none."""
    return draft.saved_at.isoformat() if draft else ""


def copies(text: str) -> tuple[str, ...]:
    """Addresses as a person types them, with commas, semicolons or new lines between."""
    return tuple(one.strip() for one in re.split(r"[,;\n]", text) if one.strip())


def filled(typed: str, said: str, others: Sequence[str]) -> str:
    """A template's words above what was typed; another template's that stand there untouched make room for them."""
    for other in (said, *others):
        typed = typed.replace(other.strip(), "")
    return "\n\n".join(part for part in (said.strip(), typed.strip()) if part) + "\n"


def _bare(address: str) -> str:
    return address.rpartition("<")[2].strip(" >").lower()


def _resolution(case: Case, offered: Suggested) -> str:
    """How the case most likely ends, for "send and close"."""
    usual = offered.suggestion.usual if case.kind == DISPUTE else "answered"
    return case.resolution or usual or "answered"
