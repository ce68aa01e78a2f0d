"""Sending mail: by SMTP, or into a folder where no server is set.

What is known after a failure decides what may happen next (S2): refused for good, certainly not accepted
(try later), or unknown, because the connection ended between the end of the mail and the server's answer.
"""

import smtplib
import ssl
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from app.connectors.contracts import Mailer, Refused, Sendable, Unknown
from app.connectors.outgoing import ascii_address, recipients, rendered
from app.core.clock import Clock
from app.core.errors import Unavailable
from app.core.settings import Settings, SmtpSettings

START_DATA = 354
PERMANENT = 500
OK = 250


class MailServerUnavailable(Unavailable):
    """The mail server cannot be reached, or will not take the mail now; trying later is right."""


def mailer_for(settings: Settings, *, clock: Clock) -> Mailer:
    """SMTP when a host is set, else the folder."""
    if settings.smtp.host:
        return SmtpMailer(settings.smtp, clock=clock)
    return FolderMailer(settings.outgoing_folder, clock=clock)


class SmtpMailer:
    """Sends through a server; one connection a mail. `tls` replaces the system's certificates, for tests."""

    def __init__(self, settings: SmtpSettings, *, clock: Clock, tls: ssl.SSLContext | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self.tls = tls or ssl.create_default_context()

    def send(self, mail: Sendable) -> None:
        """Send one mail. Raises MailServerUnavailable (not accepted), Refused (never will be), Unknown."""
        content = rendered(mail, now=self.clock())
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise self._unavailable(error) from error
        try:
            self._hand_over(server, mail, content)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _connected(self) -> smtplib.SMTP:
        host, port, timeout = self.settings.host or "", self.settings.port, self.settings.timeout_seconds
        server = (
            smtplib.SMTP_SSL(host, port, timeout=timeout, context=self.tls)
            if self.settings.security == "tls"
            else smtplib.SMTP(host, port, timeout=timeout)
        )
        try:
            self._secure(server)
        except BaseException:
            server.close()
            raise
        return server

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if self.settings.security == "starttls":
            server.starttls(context=self.tls)
            server.ehlo()
        if self.settings.username:
            password = self.settings.password.get_secret_value() if self.settings.password else ""
            server.login(self.settings.username, password)

    def _hand_over(self, server: smtplib.SMTP, mail: Sendable, content: bytes) -> None:
        try:
            self._accepted(*server.mail(ascii_address(mail.from_email)))
            for address in recipients(mail):
                self._accepted(*server.rcpt(address))
            self._accepted(*server.docmd("DATA"), wanted=START_DATA)
            server.send(_stuffed(content))
        except (OSError, smtplib.SMTPException) as error:
            raise self._unavailable(error) from error  # without the closing dot no server accepts a mail
        try:
            server.send(b".\r\n")
            answer = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Unknown(
                f"{self._where} ended the connection after the mail was handed over: {_why(error)}"
            ) from error
        self._accepted(*answer)

    def _accepted(self, code: int, words: bytes, *, wanted: int = OK) -> None:
        """Nothing when the server said yes. Raises Refused for a permanent no, MailServerUnavailable for another."""
        if code == wanted or (wanted == OK and OK <= code < 300):  # noqa: PLR2004 - the 2xx replies of RFC 5321
            return
        reason = f"{self._where} answered {code} {words.decode('utf-8', 'replace')}"
        reason = " ".join(reason.split())[:500]
        raise Refused(reason) if code >= PERMANENT else MailServerUnavailable(reason)

    @property
    def _where(self) -> str:
        return f"{self.settings.host}:{self.settings.port}"

    def _unavailable(self, error: Exception) -> MailServerUnavailable:
        return MailServerUnavailable(f"Mail server {self._where} cannot be used: {_why(error)}")


def _why(error: Exception) -> str:
    """The reason on one line."""
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        said = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return " ".join(f"{error.smtp_code} {said}".split())[:300]
    return " ".join(str(error).split())[:300] or type(error).__name__


def _stuffed(content: bytes) -> bytes:
    """A line that begins with a dot gets another (RFC 5321 4.5.2); the content ends with a line end."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


class FolderMailer:
    """Writes each mail as an .eml file: for the demo, for trying out, and where another program does the sending."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock

    def send(self, mail: Sendable) -> None:
        """Write the file, whole or not at all; the same Message-ID again replaces it. Raises MailServerUnavailable."""
        content = rendered(mail, now=self.clock())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as file:
                file.write(content)
            Path(file.name).replace(self.folder / f"{_file_name(mail.rfc_id)}.eml")
        except OSError as error:
            raise MailServerUnavailable(f"{self.folder} cannot be written: {_why(error)}") from error


def _file_name(rfc_id: str) -> str:
    return "".join(one if one.isalnum() or one in "-_.@" else "_" for one in rfc_id.strip("<>"))[:150]
