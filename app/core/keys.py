"""Keys to sign with, each derived from one secret of the installation: its setting, or a file made on first use."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from app.core.errors import DomainError
from app.core.settings import Settings

SECRET_BYTES = 32
FILE = "secret.key"


class BadSecret(DomainError):
    """The secret file cannot be used; signing with a guessable key would be worse than not starting."""

    status = 500


def key_for(settings: Settings, purpose: str) -> bytes:
    """The key for one purpose ("reply token"): 32 bytes, another for each purpose, the same in every process.

    Many machines must share `secret_key` or the data folder; a changed secret makes everything signed before
    worthless. Raises BadSecret.
    """
    return hmac.digest(_secret(settings), f"amiable {purpose}".encode(), hashlib.sha256)


def _secret(settings: Settings) -> bytes:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data_folder / FILE
    if not path.exists():
        _make(path)
    found = path.read_bytes()
    if len(found) < SECRET_BYTES:
        raise BadSecret(f"{path} is cut short: restore it from a backup, or delete it and lose open links and tokens")
    return found


def _make(path: Path) -> None:
    """Write a new secret, whole and readable by us alone; whoever comes first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(SECRET_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(part, path)
    except FileExistsError:
        return
    finally:
        part.unlink()
