"""Learns reasons again from what people said of mails, and puts the new model in force only where it is better."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from app.core import db
from app.core.blobs import BlobStore
from app.core.clock import Clock
from app.core.events import Actor, system
from app.core.log import logger
from app.workflows.context import Context
from app.workflows.runtime import JobId
from disputes.actions import model_training
from disputes.actions.policies import PolicyMoved
from disputes.classifier import ensure_model
from disputes.model_file import Model
from disputes.model_versions import in_force, model_in_force, read_version
from disputes.reason_corrections import Taught, taught_mails
from disputes.reason_refit import ENOUGH, Figures, Learn, Refit, new_since, refit

JOB = "training"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a training starts from: what people said, how much of it is new, the model in force and its number."""

    taught: list[Taught]
    new: int
    current: Model
    number: int
    learned_to: datetime | None


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it: mails people said something of, the new ones, the refit (None: too few), the version made.

    `outcome` is promoted, not_better, too_few or overtaken (another version came in force meanwhile).
    """

    outcome: str
    mails: int
    new: int
    needed: int
    refit: Refit | None = None
    version: int | None = None
    why: str = ""


def train_classifier(
    sessions: sessionmaker[Session],
    *,
    shipped: Callable[[], Model],
    blobs: BlobStore,
    actor: Actor,
    clock: Clock,
    needed: int = ENOUGH,
    learn: Learn | None = None,
) -> Trained:
    """Learn, judge, promote; some half a minute, in which no transaction is open. How it ended is an event."""
    with db.transaction(sessions, read_only=True) as session:
        ground = ground_of(session, shipped=shipped(), blobs=blobs)
    result = None
    if ground.new >= needed:
        result = refit(ground.taught, ground.current, learned_to=ground.learned_to, learn=learn)
    try:
        with db.transaction(sessions) as session:
            return conclude(session, ground, result, needed=needed, blobs=blobs, actor=actor, now=clock())
    except PolicyMoved as moved:
        trained = Trained("overtaken", len(ground.taught), ground.new, needed, result, why=moved.message)
        with db.transaction(sessions) as session:
            model_training.end(session, told=told(trained), actor=actor, now=clock())
        return trained


def ground_of(session: Session, *, shipped: Model, blobs: BlobStore) -> Ground:
    """What there is to learn from. A version that cannot be used any more counts as never learned."""
    policy, taught = in_force(session), taught_mails(session)
    current = model_in_force(session, shipped=shipped, blobs=blobs)
    usable = policy is not None and current is not shipped
    learned_to = read_version(policy.content).learned_to if policy is not None and usable else None
    new = len(new_since(taught, learned_to))
    return Ground(taught, new, current, policy.version if policy else 0, learned_to)


def conclude(
    session: Session,
    ground: Ground,
    result: Refit | None,
    *,
    needed: int,
    blobs: BlobStore,
    actor: Actor,
    now: datetime,
) -> Trained:
    """Write what came of a training, in the caller's transaction. Raises PolicyMoved."""
    made = None
    if result is not None:
        made = model_training.promote(
            session, refit=result, taught=ground.taught, based_on=ground.number, blobs=blobs, actor=actor, now=now
        )
    why = result.why if result else f"{needed} new mails are needed, {ground.new} are there: nothing changed"
    outcome = "too_few" if result is None else "promoted" if made else "not_better"
    version = made.version if made else None
    trained = Trained(outcome, len(ground.taught), ground.new, needed, result, version, why)
    model_training.end(session, told=told(trained), actor=actor, now=now)
    return trained


def told(trained: Trained) -> dict[str, Any]:
    """What came of a training, in one row: for the event, the page and the command."""
    row: dict[str, Any] = {
        "outcome": trained.outcome,
        "mails": trained.mails,
        "new_mails": trained.new,
        "needed": trained.needed,
        "version": trained.version,
        "why": trained.why,
    }
    if trained.refit is None:
        return row
    return {**row, **_figures("before", trained.refit.before), **_figures("after", trained.refit.after)}


def _figures(when: str, found: Figures) -> dict[str, Any]:
    return {
        "held_out_mails": found.mails,
        f"errors_{when}": found.errors,
        f"kind_errors_{when}": found.kind_errors,
        f"loss_{when}": found.loss,
    }


def train(
    context: Context,
    ids: Iterable[JobId] = (),  # noqa: ARG001 - the job finds what there is to learn by itself
    *,
    dispatches: int = 1,  # noqa: ARG001 - learned twice, the second finds nothing new
) -> Trained:
    """The job. However it ends, the page that asked is told."""
    actor = system(JOB)
    try:
        return train_classifier(
            context.sessions,
            shipped=lambda: ensure_model(context.settings.model_folder),
            blobs=context.blobs,
            actor=actor,
            clock=context.clock,
        )
    except db.NoDatabase:
        raise  # the job is given out again
    except Exception as error:
        logger().error("training failed", kind=type(error).__name__)
        failed = {"outcome": "failed", "why": f"The training failed: {type(error).__name__}"}
        with db.transaction(context.sessions) as session:
            model_training.end(session, told=failed, actor=actor, now=context.clock())
        raise
