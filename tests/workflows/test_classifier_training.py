"""amiable train classifier: what people say of mails is learned, used only when better, versioned, and undone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from app.cli import app
from app.core import schema
from app.core.blobs import FolderStore
from app.core.db import create_engine
from app.core.events import Event, system, user_actor
from app.core.settings import Settings
from app.workflows.assembly import storing_context
from app.workflows.classifier_training import Trained, train, train_classifier
from app.workflows.intake import Tools, work_message
from disputes import gathering
from disputes.actions import cases, life
from disputes.actions.model_training import NoVersion, go_back
from disputes.classifier import shipped_examples
from disputes.classifier import train as learn_from
from disputes.examples import Example
from disputes.model_file import Model, model_bytes
from disputes.model_versions import Unusable, in_force, model_in_force, versions
from disputes.models import Case, Message, Policy
from disputes.reading import NO_FACTS, MailText
from disputes.reason_corrections import taught_mails
from disputes.understanding import understand
from matching.scoring import default_weights
from tests.databases import Database, QueryRecorder
from tests.factories import a_case, a_message, a_user, an_account, an_entity
from tests.fixtures_db import FixedClock
from tests.fixtures_pipeline import mail, take_in

HERE = system("test")
WORDS = "The wobbulator stands on {} again, the wobbulator is no use to us."


@dataclass
class Desk:
    """A seller whose customers write in words the shipped model has never read, and Ana, who knows what they mean."""

    database: Database
    clock: FixedClock
    blobs: FolderStore
    shipped: Model

    def write(self, count: int, *, meant: str, guessed: str = "status", people_say: bool = True) -> None:
        """So many customers write; the program guesses, Ana says what is meant."""
        with self.database.transaction() as session:
            entity = an_entity(session, f"E{self.clock.advance(timedelta(minutes=1)):%H%M}")
            ana = user_actor(a_user(session, f"Ana{entity.code} Silva", now=self.clock(), role="lead").id)
            for number in range(count):
                case = a_case(session, an_account(session, entity), now=self.clock(), reason=guessed)
                a_message(
                    session, case, now=self.clock(), new_text=WORDS.format(f"order {number}"), subject="Wobbulator"
                )
                kind = "dispute"
                if people_say:
                    cases.correct(session, case_id=case.id, kind=kind, reason=meant, actor=ana, now=self.clock())

    def train(self, *, needed: int = 20, learn: Callable[[Sequence[Example]], Model] | None = None) -> Trained:
        """As the job does, beside a small part of what ships."""
        return train_classifier(
            self.database.sessions,
            shipped=lambda: self.shipped,
            blobs=self.blobs,
            actor=HERE,
            clock=self.clock,
            needed=needed,
            learn=learn or beside_few,
        )

    def reads(self) -> tuple[str, str]:
        """The reason of another such mail, and by which model."""
        text = MailText(subject="Wobbulator", new_text=WORDS.format("my bill"), sent_at=self.clock())
        with self.database.transaction(read_only=True) as session:
            meant = understand(text, NO_FACTS, model_in_force(session, shipped=self.shipped, blobs=self.blobs))
        return meant.reason, meant.model_version

    def put_back(self, number: int) -> None:
        with self.database.transaction() as session:
            go_back(session, number=number, blobs=self.blobs, actor=HERE, now=self.clock())

    def policies(self) -> list[Policy]:
        with self.database.transaction(read_only=True) as session:
            return versions(session)


def beside_few(own: Sequence[Example]) -> Model:
    return learn_from(shipped_examples()[::40], own=own)


@pytest.fixture(scope="session")
def few() -> Model:
    return beside_few(())


@pytest.fixture
def desk(database: Database, clock: FixedClock, tmp_path: Path, few: Model) -> Desk:
    return Desk(database, clock, FolderStore(tmp_path / "blobs"), few)


def test_what_people_say_is_learned_used_at_once_and_can_be_taken_back(desk: Desk) -> None:
    reason, by = desk.reads()
    assert (reason != "tax", by) == (True, desk.shipped.version)
    desk.write(24, meant="tax")
    trained = desk.train()
    assert trained.refit is not None
    assert (trained.version, trained.why) == (1, "it is wrong less often")
    assert trained.refit.before.errors == trained.refit.before.mails == 6, "a quarter judged"
    assert trained.refit.after.errors == 0
    reason, by = desk.reads()
    assert reason == "tax"
    assert by.startswith("1:"), "what is read says by which version"
    desk.put_back(0)
    assert desk.reads()[1] == desk.shipped.version
    desk.put_back(1)
    assert desk.reads() == (reason, by)
    assert [(one.version, one.active, one.note) for one in desk.policies()] == [
        (1, True, "24 mails: 6 -> 0 of 6 wrong")
    ]


def test_too_few_words_of_people_change_nothing_and_the_page_can_say_so(desk: Desk) -> None:
    desk.write(19, meant="tax")
    trained = desk.train()
    assert (trained.mails, trained.new, trained.refit, trained.version) == (19, 19, None, None)
    assert desk.policies() == []
    with desk.database.transaction(read_only=True) as session:
        ended = session.scalars(select(Event).where(Event.verb == "training ended")).one()
    assert ended.after is not None
    assert ended.after["why"] == "20 new mails are needed, 19 are there: nothing changed"


def test_a_model_that_is_not_better_is_not_used(desk: Desk) -> None:
    desk.write(24, meant="tax")
    trained = desk.train(learn=lambda _own: desk.shipped)
    assert trained.refit is not None
    assert (trained.refit.better, trained.version, trained.why) == (False, None, "it is no surer of what is right")
    assert desk.policies() == []
    assert desk.reads()[1] == desk.shipped.version


def test_a_second_training_needs_new_words_and_is_judged_by_them_alone(desk: Desk) -> None:
    desk.write(24, meant="tax")
    desk.train()
    again = desk.train()
    assert (again.new, again.version) == (0, None)
    assert again.why == "20 new mails are needed, 0 are there: nothing changed"
    desk.write(20, meant="price", guessed="tax")
    changed = desk.train()
    assert changed.refit is not None
    assert (changed.mails, changed.new, changed.refit.before.mails) == (44, 20, 5)
    assert changed.refit.before.errors == 5, "version 1 learned that such mails are about tax"


def test_what_another_put_in_force_meanwhile_is_not_overwritten(desk: Desk) -> None:
    desk.write(24, meant="tax")
    desk.train()
    desk.put_back(0)
    desk.write(4, meant="tax")

    def while_learning(own: Sequence[Example]) -> Model:
        if in_use() == 0:
            desk.put_back(1)
        return beside_few(own)

    def in_use() -> int:
        return sum(one.active for one in desk.policies())

    trained = desk.train(learn=while_learning)
    assert trained.version is None
    assert "was saved meanwhile" in trained.why
    assert [(one.version, one.active) for one in desk.policies()] == [(1, True)]


def test_only_people_teach_and_what_they_settled_as_it_stood_counts_too(desk: Desk) -> None:
    desk.write(3, meant="tax", guessed="price", people_say=False)
    with desk.database.transaction() as session:
        ana = user_actor(a_user(session, "Eva Roth", now=desk.clock(), role="lead").id)
        first, second, third = session.scalars(select(Case).order_by(Case.id)).all()
        cases.correct(session, case_id=first.id, kind="dispute", reason="tax", actor=HERE, now=desk.clock())
        cases.correct(session, case_id=second.id, kind="dispute", reason="price", actor=ana, now=desk.clock())
        life.resolve(session, case_id=third.id, resolution="withdrawn", note="", actor=ana, now=desk.clock())
    with desk.database.transaction(read_only=True) as session:
        found = taught_mails(session)
    assert [(one.example.reason, one.changed) for one in found] == [("price", False), ("price", False)]


def test_the_mail_that_made_the_case_is_the_example_with_its_circumstances(desk: Desk) -> None:
    desk.write(1, meant="tax", guessed="copy_invoice", people_say=False)
    with desk.database.transaction() as session:
        ana = user_actor(a_user(session, "Eva Roth", now=desk.clock(), role="lead").id)
        case = session.scalars(select(Case)).one()
        a_message(session, case, now=desk.clock(), kind="dispute", reason="price", new_text="Too dear!", language="en")
        a_message(session, case, now=desk.clock(), kind="query", reason="status", new_text="Any news?")
        a_message(session, case, now=desk.clock(), direction="out", kind="query", reason="price", new_text="We look.")
        cases.correct(session, case_id=case.id, kind="dispute", reason="tax", actor=ana, now=desk.clock())
        a_message(
            session,
            case,
            now=desk.clock() + timedelta(hours=9),
            kind="dispute",
            reason="quality",
            new_text="And broken",
        )
        account = case.account_id
    with desk.database.transaction(read_only=True) as session:
        [taught] = taught_mails(session)
    example = taught.example
    assert (example.text, example.reason, taught.changed) == ("Too dear!", "tax", True)
    assert (example.earlier, example.account, example.sender_known) == (("copy_invoice",), str(account), False)


def test_reasons_of_ones_own_are_learned_where_there_are_enough_of_them() -> None:
    row = shipped_examples()[0]
    own = [
        Example(language=row.language, reason=reason, text=f"wobbulator {reason}", account=f"C{n}")
        for reason, count in (("price.promotion", 5), ("price.rare", 4))
        for n in range(count)
    ]
    model = beside_few(own)
    assert "price.promotion" in model.reasons
    assert "price.rare" not in model.reasons, "its mails teach price"
    assert beside_few(own).version == model.version != beside_few(own[:-1]).version


def test_reading_by_a_version_costs_one_query_and_loads_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(24, meant="tax")
    desk.train()
    desk.reads()
    gets: list[str] = []
    monkeypatch.setattr(desk.blobs, "get", gets.append)
    with desk.database.transaction(read_only=True) as session, QueryRecorder() as sent:
        model_in_force(session, shipped=desk.shipped, blobs=desk.blobs)
    assert (sent.count, gets) == (1, [])


def spoil(desk: Desk, session: Session, content: bytes) -> None:
    """The file of the version in force holds something else."""
    policy = in_force(session)
    assert policy is not None
    path = next(path for path in desk.blobs.root.rglob("*") if path.name == policy.content["blob"])
    path.write_bytes(content)


@pytest.mark.parametrize("hostile", [b"", b"not a model", "changed", "missing", "unfit"])
def test_a_file_that_was_tampered_with_is_never_used_and_stops_no_mail(
    desk: Desk, hostile: bytes | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("disputes.model_versions._kept", {})
    desk.write(24, meant="tax")
    desk.train()
    with desk.database.transaction() as session:
        policy = in_force(session)
        assert policy is not None
        if hostile == "changed":
            spoil(desk, session, model_bytes(desk.shipped))
        elif hostile == "missing":
            policy.content = {**policy.content, "blob": "0" * 64}
        elif hostile == "unfit":
            policy.content = {**policy.content, "blob": desk.blobs.put(b"PK\x03\x04 no model")}
        elif isinstance(hostile, bytes):
            spoil(desk, session, hostile)
    assert desk.reads()[1] == desk.shipped.version
    desk.put_back(0)
    with pytest.raises(Unusable):
        desk.put_back(1)
    assert all(not one.active for one in desk.policies()), "what cannot be used is not put in force"


def test_a_version_of_another_program_is_not_used_and_all_is_learned_anew(desk: Desk) -> None:
    desk.write(24, meant="tax")
    desk.train()
    with desk.database.transaction() as session:
        policy = in_force(session)
        assert policy is not None
        policy.content = {**policy.content, "features": 1}
    assert desk.reads()[1] == desk.shipped.version
    assert desk.train().version == 2
    assert desk.reads()[0] == "tax"


def test_the_command_says_what_is_missing_lists_versions_and_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: Model
) -> None:
    url = f"sqlite:///{tmp_path / 'own.db'}"
    monkeypatch.setenv("AMIABLE_DATABASE_URL", url)
    monkeypatch.setenv("AMIABLE_DATA_FOLDER", str(tmp_path / "var"))
    monkeypatch.setattr("app.cli.train_classifier.ensure_model", lambda _folder: few)
    engine = create_engine(url)
    schema.upgrade(engine)
    engine.dispose()

    def told(*options: str) -> dict[str, object]:
        ran = CliRunner().invoke(app, ["train", "classifier", *options, "--json"], catch_exceptions=False)
        found: dict[str, object] = json.loads(ran.stdout)
        return found

    assert told()["why"] == "50 new mails are needed, 0 are there: nothing changed"
    assert told("--versions") == {"versions": []}
    assert told("--rollback", "0") == {"in_force": 0, "note": "what ships with the program"}
    with pytest.raises(NoVersion, match="no version 3 of the model; there are: none yet"):
        told("--rollback", "3")


def test_mail_is_read_by_the_version_in_force(desk: Desk, settings: Settings) -> None:
    tools = Tools(settings=settings, blobs=desk.blobs, model=desk.shipped, weights=default_weights())

    def arrives(number: int) -> str | None:
        at = desk.clock.advance(timedelta(minutes=5))
        with desk.database.transaction() as session:
            raw = mail(WORDS.format(f"order {number}"), at=at, subject="Wobbulator")
            received = take_in(session, tools, raw, at=at)
            work_message(session, message_id=received.message_id, tools=tools, now=at)
            return session.get_one(Message, received.message_id).model_version

    assert arrives(100) == desk.shipped.version
    desk.write(24, meant="tax")
    desk.train()
    assert (arrives(101) or "").startswith("1:"), "no worker was started again"
    desk.put_back(0)
    assert arrives(102) == desk.shipped.version


def test_what_a_person_said_of_a_case_goes_before_what_its_mails_were_taken_for(desk: Desk) -> None:
    desk.write(1, meant="quality", guessed="quantity", people_say=False)
    with desk.database.transaction() as session:
        case = session.scalars(select(Case)).one()
        later = a_message(session, case, now=desk.clock() + timedelta(hours=3), new_text="As I said.")

        def earlier() -> list[tuple[str, float]]:
            facts = gathering.facts_in_case(session, facts=NO_FACTS, message=later, case_id=case.id)
            return [(reason, sure) for (_, reason), sure in zip(facts.earlier, facts.earlier_sure, strict=True)]

        assert earlier() == [("quantity", 0.93)]
        ana = user_actor(a_user(session, "Eva Roth", now=desk.clock(), role="lead").id)
        cases.correct(session, case_id=case.id, kind="dispute", reason="quality", actor=ana, now=desk.clock())
        assert earlier() == [("quantity", 0.93), ("quality", 1.0)], "the last word, and the surest"


def ended(database: Database) -> list[str]:
    with database.transaction(read_only=True) as session:
        rows = session.scalars(select(Event).where(Event.verb == "training ended").order_by(Event.id))
        return [(row.after or {})["outcome"] for row in rows]


def test_the_job_tells_the_page_how_it_ended_also_when_it_fails(
    database: Database, settings: Settings, clock: FixedClock, few: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.workflows.classifier_training.ensure_model", lambda _folder: few)
    context = storing_context(settings, database.engine, clock=clock)
    assert train(context, ["asked"]).outcome == "too_few"
    monkeypatch.setattr("app.workflows.classifier_training.ensure_model", broken)
    with pytest.raises(OSError, match="no room"):
        train(context, ["asked"], dispatches=2)
    assert ended(database) == ["too_few", "failed"]


def broken(_folder: Path) -> Model:
    raise OSError("no room left on the disk")
