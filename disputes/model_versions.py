"""The classifier in force: a version a deployment learned from its people's corrections, or the shipped model.

Versions are policies, like every rule: never changed, one in force, an older one can be again. The model itself lies
in the blob store under its hash, beside the mails, so that what backs them up backs it up.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.blobs import BlobStore, NoBlob
from app.core.errors import Conflict
from app.core.log import logger
from disputes.features import FEATURE_VERSION
from disputes.model_archive import NotAModel
from disputes.model_file import Model, read_model
from disputes.models import Policy
from disputes.rulebook import Rules, read

FAMILY, KEY = "weights", "classifier"
"""Under these the versions are kept as policies."""
SUBJECT, ASKED, ENDED = "model", "training asked for", "training ended"
"""What events of training are about, and their verbs."""
_MOST_KEPT = 2
_kept: dict[str, Model] = {}
"""Models in use, by the hash of their file: the one in force and, for a moment, the one before."""


class HeldOut(Rules):
    """How a model did on the mails held out; `loss` in bits a mail."""

    mails: int
    errors: int
    kind_errors: int
    loss: float


class ModelVersion(Rules):
    """What a policy keeps of a model: where it lies, which features it counts, what it learned from and how it did.

    `learned_to` is when the newest of the `mails` was judged by a person, `changed` how many of them were put right.
    """

    blob: str = Field(pattern=r"^[0-9a-f]{64}$")
    features: int
    mails: int
    changed: int
    learned_to: datetime
    before: HeldOut
    after: HeldOut


class Unusable(Conflict):
    """A version cannot be used: the message says why."""


def read_version(content: Mapping[str, Any]) -> ModelVersion:
    """A policy's content, checked. Raises BadPolicy."""
    return read(ModelVersion, content, what="The model")


def in_force(session: Session) -> Policy | None:
    """The version in force; None for what ships. One query."""
    return session.scalar(select(Policy).where(Policy.family == FAMILY, Policy.key == KEY, Policy.active))


def versions(session: Session) -> list[Policy]:
    """Every version ever put in force, oldest first."""
    return list(
        session.scalars(select(Policy).where(Policy.family == FAMILY, Policy.key == KEY).order_by(Policy.version))
    )


def model_in_force(session: Session, *, shipped: Model, blobs: BlobStore) -> Model:
    """The model to read mail by now. One query; a version is loaded once a process, when it is first met.

    One that cannot be used stops no mail: the shipped model reads on, and a log line says why.
    """
    found = session.execute(_IN_FORCE).one_or_none()
    if found is None:
        return shipped
    try:
        return load(found.version, read_version(found.content), blobs)
    except Unusable as error:
        logger().warning(
            "the model in force cannot be used: the shipped one reads", version=found.version, reason=error.message
        )
        return shipped


_IN_FORCE = select(Policy.version, Policy.content).where(Policy.family == FAMILY, Policy.key == KEY, Policy.active)


def load(number: int, version: ModelVersion, blobs: BlobStore) -> Model:
    """A version's model; what is read by it bears its number. Raises Unusable."""
    if version.features != FEATURE_VERSION:
        raise Unusable("it was learned by another version of the program: train again")
    try:
        found = _loaded(version.blob, blobs)
    except NoBlob as error:
        raise Unusable(f"its file is missing: {error.message}") from error
    return replace(found, version=f"{number}:{found.version}")


def _loaded(blob: str, blobs: BlobStore) -> Model:
    """The model under a hash, kept under it: what a hash names never changes, wherever it is read from."""
    found = _kept.get(blob)
    if found is None:
        found = _read(blob, blobs.get(blob))
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[blob] = found
    return found


def _read(blob: str, content: bytes) -> Model:
    if hashlib.sha256(content).hexdigest() != blob:
        raise Unusable("its file was changed since: the hash is another")
    try:
        return read_model(content)
    except NotAModel as error:
        raise Unusable(str(error)) from error
