"""What happens to the classifier of a deployment: training is asked for, ends, puts a version in force or none."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.core.blobs import BlobStore
from app.core.errors import NotFound
from app.core.events import Actor, record
from disputes.actions import policies
from disputes.features import FEATURE_VERSION
from disputes.model_file import model_bytes
from disputes.model_versions import FAMILY, KEY, SUBJECT, in_force, load, read_version, versions
from disputes.models import Policy
from disputes.reason_corrections import Taught
from disputes.reason_refit import Refit


class NoVersion(NotFound):
    """There is no such version of the model."""


def ask(session: Session, *, actor: Actor, now: datetime) -> None:
    """Somebody wants the classifier to learn again; who adds the job does it in the same transaction."""
    record(session, actor=actor, now=now, verb="training asked for", subject=SUBJECT, subject_id=None)


def end(session: Session, *, told: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """A training is over; `told` says what came of it."""
    record(session, actor=actor, now=now, verb="training ended", subject=SUBJECT, subject_id=None, after=told)


def promote(
    session: Session,
    *,
    refit: Refit,
    taught: list[Taught],
    based_on: int,
    blobs: BlobStore,
    actor: Actor,
    now: datetime,
) -> Policy | None:
    """A better model is a new version, in force at once; None where it is not better.

    Raises PolicyMoved when another version came in force since the training began.
    """
    if refit.model is None:
        return None
    content = {
        "blob": blobs.put(model_bytes(refit.model)),
        "features": FEATURE_VERSION,
        "mails": len(taught),
        "changed": sum(one.changed for one in taught),
        "learned_to": max(one.at for one in taught).isoformat(),
        "before": asdict(refit.before),
        "after": asdict(refit.after),
    }
    return policies.save(
        session,
        family=FAMILY,
        key=KEY,
        content=content,
        actor=actor,
        now=now,
        note=f"{len(taught)} mails: {refit.before.errors} -> {refit.after.errors} of {refit.after.mails} wrong",
        based_on=based_on,
        read=read_version,
    )


def go_back(session: Session, *, number: int, blobs: BlobStore, actor: Actor, now: datetime) -> Policy | None:
    """An older version is in force again; 0 is what ships (None). Raises NoVersion; Unusable, which changes nothing."""
    if number == 0:
        if in_force(session) is not None:
            policies.drop(session, family=FAMILY, key=KEY, actor=actor, now=now)
        return None
    every = versions(session)
    found = next((one for one in every if one.version == number), None)
    if found is None:
        known = ", ".join(str(one.version) for one in every) or "none yet"
        raise NoVersion(f"There is no version {number} of the model; there are: {known} (0 ships)")
    load(number, read_version(found.content), blobs)
    return policies.activate(session, policy_id=found.id, actor=actor, now=now, read=read_version)
