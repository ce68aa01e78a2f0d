"""The one place that commits."""

from threading import Event, Thread

from sqlalchemy import event, select

from app.core import db
from tests.databases import Database


def test_a_request_given_up_while_a_thread_connects_for_it_ends_quietly(database: Database) -> None:
    """Seen when a server stopped in the middle of a request: its session was closed while another thread began it."""
    connecting, go_on = Event(), Event()

    def wait(_connection: object) -> None:
        connecting.set()
        go_on.wait(10)

    given_up = db.transaction(database.sessions, read_only=True)
    session = given_up.__enter__()
    session.rollback()
    event.listen(database.engine, "begin", wait)
    thread = Thread(target=session.connection, kwargs={"execution_options": {"read_only": True}})
    thread.start()
    assert connecting.wait(10)
    assert not given_up.__exit__(GeneratorExit, GeneratorExit(), None), "nothing else is raised, nothing is hidden"
    go_on.set()
    thread.join()
    session.close()
    event.remove(database.engine, "begin", wait)
    with database.transaction() as other:
        assert other.scalar(select(1)) == 1
