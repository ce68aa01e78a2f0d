"""What becomes of a document that may be new, newer, older or a repetition. Pure (S4)."""

from typing import Any, Literal, NamedTuple

Status = Literal["created", "updated", "unchanged", "stale", "refused"]


class Known(NamedTuple):
    """What the ledger holds under a document's number. `watched` are the family's watched columns as stored."""

    id: int
    version: str
    fingerprint: int
    push_id: int | None
    pending: bool
    account_id: int | None
    watched: tuple[Any, ...]


class Verdict(NamedTuple):
    """The outcome of a document, whether its row must be written, and why it was refused."""

    status: Status
    write: bool
    reason: str = ""


CREATED = Verdict("created", write=True)
UPDATED = Verdict("updated", write=True)
UNCHANGED = Verdict("unchanged", write=False)
RENEWED = Verdict("unchanged", write=True)  # the same content under a newer version: the version is kept
STALE = Verdict("stale", write=False)
TWICE = Verdict("refused", write=False, reason="comes twice in this push with different content and no version")
AMBIGUOUS = Verdict("refused", write=False, reason="was sent before with the same version and different content")


def decide(known: Known | None, *, version: str, fingerprint: int, push_id: int) -> Verdict:
    """
    The rule of versions: the newer wins, the older is stale, the same with other content is refused.

    Without a version the last write wins, unless one push holds the number twice with different content.
    """
    if known is None or known.pending:
        return CREATED
    same = known.fingerprint == fingerprint
    if version and known.version:
        return _by_version(known.version, version, same=same)
    if same:
        return RENEWED if version else UNCHANGED
    return TWICE if not version and known.push_id == push_id else UPDATED


def _by_version(known: str, version: str, *, same: bool) -> Verdict:
    if version < known:
        return STALE
    if version == known:
        return UNCHANGED if same else AMBIGUOUS
    return RENEWED if same else UPDATED
