"""Raw mail, attachments and PDFs, stored once under the SHA-256 of their bytes."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Protocol

from app.core.errors import NotFound


class NoBlob(NotFound):
    """No bytes are stored under that hash."""


class BlobStore(Protocol):
    """Content-addressed bytes. A folder today; an object store (S3) fits the same three calls."""

    def put(self, content: bytes) -> str:
        """Store the bytes durably and give their SHA-256 in hex; storing the same again is harmless."""
        ...

    def get(self, key: str) -> bytes:
        """The bytes under a hash; raises NoBlob."""
        ...

    def exists(self, key: str) -> bool:
        """Whether bytes are stored under the hash."""
        ...


class FolderStore:
    """Blobs as files, two folders deep. A file appears whole or not at all, also after a power cut."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, content: bytes) -> str:
        """Write to a temporary file, flush it to disk, then rename: readers never see half a blob."""
        key = hashlib.sha256(content).hexdigest()
        path = self._path(key)
        if path.exists():
            return key
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
        _sync_folder(path.parent)
        return key

    def get(self, key: str) -> bytes:
        """The bytes under a hash; raises NoBlob."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise NoBlob(f"Nothing is stored under {key}") from error

    def exists(self, key: str) -> bool:
        """Whether bytes are stored under the hash."""
        return self._path(key).exists()

    def _path(self, key: str) -> Path:
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):  # noqa: PLR2004 - SHA-256 in hex
            raise NoBlob(f"{key!r} is not a content hash")
        return self.root / key[:2] / key[2:4] / key


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
