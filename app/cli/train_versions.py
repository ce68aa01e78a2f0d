"""What both trainings say of their versions, and what may not be asked of them at once."""

from typing import Any

from app.core.errors import BadInput
from disputes.models import Policy


def refuse_both(*, rollback: int | None, list_versions: bool) -> None:
    """Raises BadInput where a version is to be put back and all are to be listed."""
    if rollback is not None and list_versions:
        raise BadInput("--rollback and --versions do not go together", fields={"rollback": "not with --versions"})


def version_row(version: Policy) -> dict[str, Any]:
    """A version as a command prints it."""
    return {
        "version": version.version,
        "in_force": version.active,
        "made": version.created_at.isoformat(),
        "note": version.note,
    }
