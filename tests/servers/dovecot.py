"""A real dovecot in a temporary folder: several users, passwords and XOAUTH2, plain, STARTTLS and TLS."""

import getpass
import grp
import imaplib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import Certificate, make_certificate
from tests.servers.ports import free_port
from tests.servers.tokens import TokenService
from tests.servers.waiting import wait_until

USERS = ("ar-fr", "ar-uk", "ar-de")
PASSWORD = "open sesame"
PROGRAM = Path("/usr/sbin/dovecot")
MAIL_OWNER = "mail"
"""dovecot refuses to open root's mail: when the tests run as root, this user of Debian's owns it."""


@dataclass(frozen=True)
class DovecotServer:
    """A running server."""

    folder: Path
    port: int
    tls_port: int
    certificate: Certificate
    process: subprocess.Popen[bytes]

    def deliver(self, user: str, raw: bytes, *, folder: str = "INBOX", seen: bool = False) -> None:
        """Put a mail into a user's folder, as another program would."""
        with self.client(user) as client:
            client.create(folder)
            flags = "\\Seen" if seen else ""
            client.append(folder, flags, "", raw)

    @contextmanager
    def client(self, user: str) -> Iterator[imaplib.IMAP4]:
        """A plain IMAP client signed in as the user."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=20) as client:
            client.login(user, PASSWORD)
            yield client

    def flags(self, user: str, *, folder: str = "INBOX") -> list[bytes]:
        """The flags of every mail in a folder."""
        with self.client(user) as client:
            client.select(folder, readonly=True)
            return [line for line in client.fetch("1:*", "(FLAGS)")[1] if isinstance(line, bytes)]

    def renumber(self, user: str, *, folder: str = "INBOX") -> None:
        """Forget the folder's numbers, as a server restored from a backup does: UIDVALIDITY changes."""
        home = self.folder / "mail" / user / "Maildir"
        place = home if folder == "INBOX" else home / f".{folder}"
        for name in ("dovecot-uidlist", "dovecot.index", "dovecot.index.log", "dovecot.index.cache"):
            (place / name).unlink(missing_ok=True)


def dovecot_installed() -> bool:
    """Whether the tests that need it can run."""
    return PROGRAM.exists()


@contextmanager
def running_dovecot(tokens: TokenService | None = None) -> Iterator[DovecotServer]:
    """A fresh server, stopped and removed at the end. Raises RuntimeError when it cannot be started."""
    if not dovecot_installed():
        raise RuntimeError("dovecot is not installed: scripts/system-packages test")
    folder = Path(tempfile.mkdtemp(prefix="amiable-imap-"))
    folder.chmod(0o755)
    try:
        server = _start(folder, tokens)
        try:
            yield server
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, tokens: TokenService | None) -> DovecotServer:
    certificate = make_certificate(folder)
    port, tls_port = free_port(), free_port()
    _write(folder, port, tls_port, certificate, tokens)
    command = [str(PROGRAM), "-F", "-c", str(folder / "dovecot.conf")]
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], stdout=subprocess.DEVNULL)
    server = DovecotServer(folder, port, tls_port, certificate, process)
    wait_until(lambda: _answers(server) or process.poll() is not None, seconds=30, every=0.05)
    if process.poll() is not None:
        raise RuntimeError(f"dovecot did not start: {(folder / 'log').read_text(errors='replace')[-2000:]}")
    return server


def _answers(server: DovecotServer) -> bool:
    try:
        with server.client(USERS[0]):
            return True
    except (OSError, imaplib.IMAP4.error):
        return False


def _write(folder: Path, port: int, tls_port: int, certificate: Certificate, tokens: TokenService | None) -> None:
    """The configuration and everything it names."""
    root = os.geteuid() == 0
    owner = MAIL_OWNER if root else getpass.getuser()
    mail = folder / "mail"
    mail.mkdir()
    (folder / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in USERS))
    (folder / "oauth2.conf").write_text(
        f"tokeninfo_url = {tokens.info_url if tokens else ''}\nusername_attribute = username\n"
        "active_attribute = active\nactive_value = true\n"
    )
    if root:
        shutil.chown(mail, owner, owner)
    internal = "" if root else f"default_internal_user = {owner}\ndefault_internal_group = {_group()}\n"
    login = "" if root else f"default_login_user = {owner}\n"
    configuration = CONFIGURATION.format(
        folder=folder, port=port, tls_port=tls_port, owner=owner, certificate=certificate.certificate,
        key=certificate.key, oauth=OAUTH.format(folder=folder) if tokens else "",
        mechanisms="plain login xoauth2" if tokens else "plain login",
    )  # fmt: skip
    (folder / "dovecot.conf").write_text(internal + login + configuration)


def _group() -> str:
    return grp.getgrgid(os.getgid()).gr_name


OAUTH = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
"""

CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:~/Maildir
first_valid_uid = 1
first_valid_gid = 1
maildir_very_dirty_syncs = no
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
{oauth}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={folder}/mail/%u
}}
"""
