"""What a mail was understood to say, for tests of what follows from it."""

from disputes.reading import Understanding
from disputes.reasons import kind_of


def meant(*ranking: tuple[str, float]) -> Understanding:
    """A calm mail in English with this ranking of reasons, the most probable first."""
    reason, confidence = ranking[0]
    return Understanding(
        kind=kind_of(reason),
        reason=reason,
        ranking=ranking,
        confidence=confidence,
        sentiment="calm",
        urgent=False,
        language="en",
        flags=frozenset(),
        promise=None,
        model_version="test",
        decided_by="model",
        words=(),
    )
