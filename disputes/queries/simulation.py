"""What a changed playbook would do to the cases on their way, from their rows. It reads only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.auth import User
from disputes.models import Case
from disputes.playbook import (
    CALL_FIRST,
    NextDue,
    Playbook,
    Step,
    StepCondition,
    default_playbooks,
    playbook_for,
)
from disputes.playbook_simulation import Effect, Simulation, effect_of
from disputes.progress_facts import Going, progress_of
from disputes.queries.filters import STATES_OPEN
from disputes.queries.visibility import visible_to
from disputes.rules_in_force import playbooks
from invoices.models import Account

MOST = 2_000
"""Cases looked at: those last active. Each costs most of a millisecond, and a person waits for the answer."""
SHOWN = 40
_CHUNK = 1_000
_NOTHING = Playbook(name="none", steps=(Step(id="none", action="close", when=StepCondition(states=("merged",))),))
"""For cases no playbook speaks of: it never does anything."""


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One effect with its case's words; the steps are those of the old and the new playbook."""

    effect: Effect
    title: str
    account: str
    before: Step | None
    after: Step | None


@dataclass(frozen=True, slots=True)
class Found:
    """The simulation, the first effects as rows, and how many cases are on their way in all."""

    simulation: Simulation
    rows: tuple[EffectRow, ...]
    running: int

    @property
    def partly(self) -> bool:
        """Whether there are more cases than were looked at."""
        return self.running > self.simulation.cases

    @property
    def more(self) -> int:
        """Effects beyond those shown."""
        return len(self.simulation.effects) - len(self.rows)


def simulation_of(session: Session, *, user: User, key: str, playbook: Playbook, now: datetime) -> Found:
    """The effect of putting `playbook` in force under `key`; cases other playbooks keep are counted as unchanged.

    Titles are shown of the cases the user may see. `user.entities` must be loaded.
    """
    old = {name: one.rules for name, one in playbooks(session).items()}
    new = with_playbook(old, key, playbook)
    running = session.scalar(select(func.count()).select_from(Case).where(*_on_their_way())) or 0
    last_active = select(Case.id).where(*_on_their_way()).order_by(Case.last_activity_at.desc(), Case.id.desc())
    ids = session.scalars(last_active.limit(MOST)).all()
    effects = [found for going in _going(session, ids, now=now) if (found := _effect(going, old, new, now=now))]
    simulation = Simulation(len(ids), tuple(effect for effect, _, _ in effects))
    return Found(simulation, _rows(session, user, effects[:SHOWN]), running)


def with_playbook(old: Mapping[str, Playbook], key: str, playbook: Playbook) -> dict[str, Playbook]:
    """The playbooks with one put in, in the order rules_in_force asks them: a deployment's further ones first."""
    shipped = default_playbooks()
    further = sorted({*old, key} - shipped.keys())
    order = [*further, *(name for name in old if name in shipped)]
    return {name: playbook if name == key else old[name] for name in order}


def _on_their_way() -> tuple[ColumnElement[bool], ...]:
    return (Case.playbook.is_not(None), Case.state.in_((*STATES_OPEN, "resolved")))


def _going(session: Session, ids: Sequence[int], *, now: datetime) -> Iterator[Going]:
    for start in range(0, len(ids), _CHUNK):
        found = progress_of(session, case_ids=ids[start : start + _CHUNK], now=now)
        yield from (found[case_id] for case_id in ids[start : start + _CHUNK] if case_id in found)


def _effect(
    going: Going, old: Mapping[str, Playbook], new: Mapping[str, Playbook], *, now: datetime
) -> tuple[Effect, Step | None, Step | None] | None:
    """What changes for one case, with the steps of before and after; None where nothing does."""
    keys = (playbook_for(going.case, old), playbook_for(going.case, new))
    before = old[keys[0]] if keys[0] else _NOTHING
    after = new[keys[1]] if keys[1] else _NOTHING
    if before == after:
        return None
    effect = effect_of(going.progress, before, after, calendar=going.calendar, now=now)
    return (effect, _step(before, effect.before), _step(after, effect.after)) if effect else None


def _step(playbook: Playbook, due: NextDue | None) -> Step | None:
    """The step that is due; the call of an upset customer comes whatever the playbook says."""
    return None if due is None else playbook.step(due.step) or CALL_FIRST


def _rows(
    session: Session, user: User, effects: Sequence[tuple[Effect, Step | None, Step | None]]
) -> tuple[EffectRow, ...]:
    ids = [effect.case_id for effect, _, _ in effects]
    found = session.execute(
        select(Case.id, Case.title, Account.name, Account.number)
        .outerjoin(Account, Account.id == Case.account_id)
        .where(Case.id.in_(ids), visible_to(user))
    )
    words = {case_id: (title, name or number or "") for case_id, title, name, number in found}
    return tuple(
        EffectRow(effect, *words[effect.case_id], before, after)
        for effect, before, after in effects
        if effect.case_id in words
    )
