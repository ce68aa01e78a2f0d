"""Mails kept in files: single .eml files, mbox files and Maildir folders, read in flat memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from app.core.errors import NotFound

MAIL_ENDINGS = {".eml", ".mail"}
MBOX_ENDINGS = {".mbox", ".mbx"}
MAILDIR_PARTS = ("new", "cur")
SEPARATOR = b"From "
MOST_BYTES = 200_000_000
"""Where a mail of an mbox is cut off: a file without separators must not fill the memory."""


class NoSuchPath(NotFound):
    """A path given for import does not exist."""


class FoundMail(NamedTuple):
    """A mail in a file. `ref` says where; `consumed` is how many bytes of the file it took, for a progress bar."""

    raw: bytes
    ref: str
    consumed: int


class MailFiles(NamedTuple):
    """Files with mails, and files passed over because they hold none we can read."""

    files: tuple[Path, ...]
    passed_over: tuple[Path, ...]

    @property
    def size(self) -> int:
        """All their bytes."""
        return sum(file.stat().st_size for file in self.files)

    def mails(self) -> Iterator[FoundMail]:
        """Every mail, file after file."""
        for file in self.files:
            yield from mails_in(file)


def find_mail_files(paths: Iterable[Path]) -> MailFiles:
    """The mail files below these paths, in order. A file named itself is read whatever its ending.

    Raises NoSuchPath.
    """
    files: list[Path] = []
    others: list[Path] = []
    for path in paths:
        if path.is_dir():
            for file in _below(path):
                (files if _holds_mail(file) else others).append(file)
        elif path.exists():
            files.append(path)
        else:
            raise NoSuchPath(f"There is no file or folder {path}")
    return MailFiles(tuple(files), tuple(others))


def mails_in(file: Path) -> Iterator[FoundMail]:
    """The mails of one file: an mbox when it begins like one, otherwise a single mail."""
    with file.open("rb") as opened:
        beginning = opened.read(len(SEPARATOR))
        if beginning != SEPARATOR:
            raw = beginning + opened.read(MOST_BYTES)
            yield FoundMail(raw, str(file.resolve()), len(raw))
            return
        opened.seek(0)
        for number, (raw, consumed) in enumerate(_split(opened), start=1):
            yield FoundMail(raw, f"{file.resolve()}#{number}", consumed)


def _below(folder: Path) -> Iterator[Path]:
    """Files of a folder and its folders, hidden ones left out unless they are Maildir folders."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if not entry.name.startswith(".") or _is_maildir(entry):
                yield from _below(entry)
        elif not entry.name.startswith("."):
            yield entry


def _is_maildir(folder: Path) -> bool:
    return all((folder / part).is_dir() for part in MAILDIR_PARTS)


def _holds_mail(file: Path) -> bool:
    if file.parent.name in MAILDIR_PARTS and _is_maildir(file.parent.parent):
        return True
    if file.suffix.lower() in MAIL_ENDINGS:
        return True
    if file.suffix.lower() not in MBOX_ENDINGS and file.suffix:
        return False
    with file.open("rb") as opened:
        return opened.read(len(SEPARATOR)) == SEPARATOR


def _split(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Mails of an mbox: "From " after an empty line begins one; quoted ">From " lines get their word back (mboxrd)."""
    mail: list[bytes] = []
    consumed, size, after_blank = 0, 0, True
    for line in lines:
        if after_blank and line.startswith(SEPARATOR):
            if mail:
                yield b"".join(_unpadded(mail)), consumed
            mail, consumed, size = [], 0, 0
        elif size < MOST_BYTES:
            mail.append(_unquoted(line))
            size += len(line)
        consumed += len(line)
        after_blank = not line.strip()
    if mail:
        yield b"".join(_unpadded(mail)), consumed


def _unpadded(lines: list[bytes]) -> list[bytes]:
    """The empty line before the next separator belongs to the mbox, not to the mail."""
    return lines[:-1] if not lines[-1].strip() else lines


def _unquoted(line: bytes) -> bytes:
    return line[1:] if line.startswith(b">") and line.lstrip(b">").startswith(SEPARATOR) else line
