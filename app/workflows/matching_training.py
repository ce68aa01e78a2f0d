"""Refits the weights of matching from what people corrected, and puts them in force only where they are better."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.events import Actor
from app.workflows.intake import Matching, examine
from disputes.actions import policies
from disputes.match_corrections import corrected_mails
from disputes.match_weights import FAMILY, KEY, content_of, read_weights, weights_in_force
from matching.fit import Example
from matching.refit import ENOUGH, Refit, refit


@dataclass(frozen=True, slots=True)
class Trained:
    """What became of it: how many corrected mails there are, the refit (None: too few), the version put in force."""

    mails: int
    needed: int
    refit: Refit | None = None
    version: int | None = None


def train_matching(session: Session, *, tools: Matching, actor: Actor, now: datetime, needed: int = ENOUGH) -> Trained:
    """Refit on the corrected mails, in the caller's transaction. Nothing changes with too few, or when not better."""
    corrected = corrected_mails(session)
    if len(corrected) < needed:
        return Trained(len(corrected), needed)
    found = ((one, examine(session, message_id=one.message_id, tools=tools)) for one in corrected)
    examples = [Example(trial, one.account_id, one.invoice_ids) for one, trial in found if trial is not None]
    current = weights_in_force(session, shipped=tools.weights)
    result = refit(examples, current, policy=tools.match_policy)
    if not result.better:
        return Trained(len(corrected), needed, result)
    made = policies.save(
        session,
        family=FAMILY,
        key=KEY,
        content=content_of(result.weights),
        actor=actor,
        now=now,
        note=f"{len(examples)} corrected mails: loss {result.before.loss} -> {result.after.loss}",
        read=read_weights,
    )
    return Trained(len(corrected), needed, result, made.version)
