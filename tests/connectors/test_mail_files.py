"""Mails from .eml files, mbox files and Maildir folders."""

import mailbox
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.mail_files import NoSuchPath, find_mail_files, mails_in

MAIL = b"From: a@b.example\nSubject: %d\n\nGood morning,\n\nFrom here on it is quoted.\n"


def maildir(folder: Path) -> None:
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)


def raws(path: Path) -> list[bytes]:
    return [mail.raw for mail in find_mail_files([path]).mails()]


def test_an_eml_file_is_one_mail_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "one.eml"
    file.write_bytes(b"From: x@y.example\r\n\r\nna\xefve\r\n")
    (mail,) = mails_in(file)
    assert (mail.raw, mail.ref, mail.consumed) == (file.read_bytes(), str(file), 28)


def test_an_mbox_written_by_others_is_read_mail_by_mail(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    box = mailbox.mbox(path)
    for number in range(3):
        box.add(message_from_bytes(MAIL % number))
    box.close()
    assert raws(path) == [MAIL % number for number in range(3)]
    assert [mail.ref for mail in mails_in(path)] == [f"{path}#{number}" for number in (1, 2, 3)]


def test_progress_adds_up_to_the_size_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "archive.mbox"
    path.write_bytes(b"".join(b"From x Mon Mar  2 08:00:00 2026\n" + MAIL % number + b"\n" for number in range(4)))
    found = find_mail_files([path])
    assert sum(mail.consumed for mail in found.mails()) == found.size


def test_a_word_from_inside_a_paragraph_begins_no_mail(tmp_path: Path) -> None:
    path = tmp_path / "archive.mbox"
    path.write_bytes(b"From x\nSubject: 1\n\nOur order came\nFrom your warehouse\n\nFrom y\nSubject: 2\n\nHello\n")
    assert raws(path) == [b"Subject: 1\n\nOur order came\nFrom your warehouse\n", b"Subject: 2\n\nHello\n"]


def test_a_maildir_and_its_folders_are_read_whatever_the_names(tmp_path: Path) -> None:
    maildir(tmp_path / "Maildir")
    maildir(tmp_path / "Maildir" / ".Archive")
    (tmp_path / "Maildir/new/1700000000.M1.host").write_bytes(MAIL % 1)
    (tmp_path / "Maildir/cur/1700000001.M2.host:2,S").write_bytes(MAIL % 2)
    (tmp_path / "Maildir/tmp/half").write_bytes(MAIL % 9)
    (tmp_path / "Maildir/.Archive/cur/1700000002.M3.host:2,S").write_bytes(MAIL % 3)
    (tmp_path / "Maildir/dovecot.index.log").write_bytes(b"\x00")
    found = find_mail_files([tmp_path])
    assert sorted(mail.raw for mail in found.mails()) == [MAIL % number for number in (1, 2, 3)]
    assert sorted(file.name for file in found.passed_over) == ["dovecot.index.log", "half"]


def test_a_folder_gives_its_mails_and_tells_what_it_passed_over(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.EML").write_bytes(MAIL % 1)
    (tmp_path / "notes.txt").write_text("From memory\n")
    (tmp_path / ".DS_Store").write_bytes(b"\x00")
    found = find_mail_files([tmp_path])
    assert [file.name for file in found.files] == ["a.EML"]
    assert [file.name for file in found.passed_over] == ["notes.txt"]


def test_a_file_named_itself_is_read_whatever_its_ending(tmp_path: Path) -> None:
    file = tmp_path / "message.txt"
    file.write_bytes(MAIL % 1)
    assert raws(file) == [MAIL % 1]


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSuchPath, match=r"nowhere\.eml"):
        find_mail_files([tmp_path / "nowhere.eml"])


@given(bodies=st.lists(st.text(alphabet="From >\nab", max_size=60), min_size=1, max_size=5))
def test_quoting_as_mboxrd_does_keeps_every_body(tmp_path_factory: pytest.TempPathFactory, bodies: list[str]) -> None:
    path = tmp_path_factory.mktemp("mbox") / "archive.mbox"
    mails = [f"Subject: x\n\n{body}\n".encode() for body in bodies]
    quoted = [
        b"".join(
            b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in mail.splitlines(keepends=True)
        )
        for mail in mails
    ]
    path.write_bytes(b"".join(b"From sender\n" + mail + b"\n" for mail in quoted))
    assert raws(path) == mails
