"""POST /api/v1/erp/push: ledger documents in, one outcome a document out, however many there are.

The body goes to a temporary file before the database is touched: a slow sender must not hold SQLite's only writer,
the Idempotency-Key needs the hash of all of it, and a list can be read twice. The answer is written to another one
and leaves after the commit. Both take the memory of one batch.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Annotated, BinaryIO, NamedTuple

from anyio import from_thread
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect

from app.api.erp_answer import JSON, NDJSON, AnswerFile, replay, spool
from app.connectors.erp import Raw, entities_in, prepare_raw, push_rows, read_documents
from app.core import db
from app.core.errors import BadInput, DomainError
from app.core.events import Actor
from app.core.settings import Limits
from app.edge import Services, ServicesDep, token
from app.workflows.ledger_sync import ask_for_rechecks
from invoices import actions
from invoices.actions import Outcome, Row
from invoices.feed import Refused

SCOPE = "erp:push"

router = APIRouter(prefix="/api/v1/erp", tags=["erp"])


class UnsupportedBody(DomainError):
    """The body's media type is none we read."""

    status = 415


class Interrupted(BadInput):
    """The sender went away before the end of the body."""


class Caller(NamedTuple):
    """The token a push came with, as actor, and the one entity it is limited to, if it is."""

    actor: Actor
    entity: str | None


class Push(NamedTuple):
    """A push as received: its body in a file, the body's hash, whether it is NDJSON, its idempotency key."""

    body: BinaryIO
    digest: str
    ndjson: bool
    key: str | None


_DOCUMENTS = {"schema": {"type": "array", "items": {"type": "object"}}}


@router.post(
    "/push",
    responses={
        200: {"description": "One outcome a document, in their order; as NDJSON when the request was"},
        401: {"description": "No token, or an unknown one"},
        403: {"description": "The token has not the scope erp:push"},
        413: {"description": "The body is over limits.push_bytes"},
        415: {"description": "The body is neither JSON nor NDJSON"},
        422: {"description": "Not JSON, a key used for another body, or no document has the shape of one"},
    },
    openapi_extra={"requestBody": {"required": True, "content": {JSON: _DOCUMENTS, NDJSON: {}}}},
)
def push(
    request: Request,
    services: ServicesDep,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=actions.KEY_LENGTH)] = None,
) -> StreamingResponse:
    """
    Bring documents into the ledger: all of a push or, when it fails half way, nothing.

    A document that cannot be taken is refused alone, with its field and reason, and the answer is 200; only when
    none of them has the shape of a document (unknown fields, not an object) is it 422, with the same outcomes.
    """
    with db.transaction(services.sessions) as session:
        caller = _caller(request, session)
    ndjson = _is_ndjson(request.headers.get("content-type", ""))
    with closing(spool()) as body:
        received = _received(request, body, ndjson=ndjson, key=idempotency_key)
        with db.transaction(services.sessions) as session:
            response = _answered(session, received, caller, services)
    return response


def _caller(request: Request, session: Session) -> Caller:
    found = token(SCOPE)(request, session)
    return Caller(Actor(f"token:{found.id}"), found.entity_code)


def _is_ndjson(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in {NDJSON, "application/ndjson", "application/jsonl"}:
        return True
    if media_type == JSON:
        return False
    raise UnsupportedBody(f"Send documents as {JSON} or {NDJSON}, not {media_type or 'without a Content-Type'}")


def _received(request: Request, body: BinaryIO, *, ndjson: bool, key: str | None) -> Push:
    """Read the body to its end; the edge's Guard counts its bytes and answers 413."""
    digest = hashlib.sha256(b"ndjson" if ndjson else b"json")
    try:
        for chunk in _chunks(request.stream()):
            digest.update(chunk)
            body.write(chunk)
    except ClientDisconnect as error:
        raise Interrupted("The body ended early: nothing was changed") from error
    return Push(body, digest.hexdigest(), ndjson, key)


def _chunks(stream: AsyncIterator[bytes]) -> Iterator[bytes]:
    """The chunks of an asynchronous stream, asked for from the endpoint's thread."""

    async def following() -> bytes | None:
        return await anext(stream, None)

    while (chunk := from_thread.run(following)) is not None:
        yield chunk


def _answered(session: Session, received: Push, caller: Caller, services: Services) -> StreamingResponse:
    """Do the push, or give the answer it got before."""
    if received.key is not None:
        earlier = actions.earlier_answer(session, actor=caller.actor, key=received.key, body_hash=received.digest)
        if earlier is not None:
            return replay(earlier)
    return _worked(session, received, caller, services).response()


def _worked(session: Session, received: Push, caller: Caller, services: Services) -> AnswerFile:
    """Bring the documents in; their outcomes are in the file, and with the push where there is a key."""
    now, actor, limits = services.clock(), caller.actor, services.settings.limits
    opened = actions.begin(session, actor=actor, now=now, key=received.key, body_hash=received.digest)

    touched: set[int] = set()

    def write(rows: Sequence[Row | Refused]) -> list[Outcome]:
        outcomes = actions.write_batch(session, rows=rows, push_id=opened.id, actor=actor, now=now)
        touched.update(actions.changed(outcomes).accounts)
        return outcomes

    early = entities_in(_documents(received, limits), now.date(), caller.entity)
    raws = actions.batches(_documents(received, limits), limits.push_batch)
    prepared = (prepare_raw(batch, now.date(), caller.entity) for batch in raws)
    with ExitStack() as on_failure:
        answer = AnswerFile(opened.id, ndjson=received.ndjson, keep=received.key is not None)
        on_failure.callback(answer.close)
        counts = answer.write(push_rows(prepared, write, early=early))
        actions.finish(session, push_id=opened.id, counts=counts, actor=actor, now=now, answer=answer.kept())
        ask_for_rechecks(session, account_ids=touched, enqueue=services.enqueue)
        on_failure.pop_all()
    return answer


def _documents(received: Push, limits: Limits) -> Iterator[Raw]:
    return read_documents(received.body, ndjson=received.ndjson, limit=limits.document_bytes)
