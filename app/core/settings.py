"""Settings: frozen, read once at the edge from AMIABLE_* variables or a TOML file, and passed down."""

from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

Security = Literal["tls", "starttls", "plain"]


class Part(BaseModel):
    """A frozen group of settings that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OAuthSettings(Part):
    """How to get an access token for XOAUTH2 (RFC 6749 refresh or client-credentials grant)."""

    token_url: str
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr | None = None
    scope: str = ""


class MailboxSettings(Part):
    """One receivables mailbox polled by IMAP. `entity` is the code of the legal entity it belongs to."""

    name: str
    host: str
    port: int = 993
    security: Security = "tls"
    username: str
    password: SecretStr | None = None
    oauth: OAuthSettings | None = None
    folder: str = "INBOX"
    entity: str
    poll_seconds: int = 60
    batch: int = 200


class SmtpSettings(Part):
    """Where outgoing mail goes. Without a host, mail is written to `folder` as .eml files."""

    host: str | None = None
    port: int = 587
    security: Security = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    timeout_seconds: float = 30.0
    folder: Path | None = None


class Limits(Part):
    """Bounds on what may come in; each named so that an operator can change it."""

    request_bytes: int = 50_000_000
    push_bytes: int = 2_000_000_000
    push_batch: int = 1_000
    document_bytes: int = 2_000_000
    mail_bytes: int = 40_000_000
    mail_parts: int = 300
    mail_depth: int = 12
    mail_addresses: int = 500
    mail_header_bytes: int = 64_000
    mail_decoded_bytes: int = 80_000_000
    attachment_text_chars: int = 200_000
    mails_per_address_per_day: int = 3


class Intake(Part):
    """How mail is worked: what is safe to do without a person."""

    webhook_secret: SecretStr | None = None
    webhook_max_age_seconds: int = 300
    quiet_hours_between_acknowledgements: int = 24
    authentication_server: str | None = None
    batch: int = 50


class Casework(Part):
    """How cases are worked. Up to `credit_limit`, in the entity's currency, one person's yes is enough for a credit.

    Talk of changed bank details is released at the earliest `bank_check_hours` after the mail, and by two people.
    """

    credit_limit: Decimal = Field(default=Decimal(1000), ge=0)
    bank_check_hours: int = Field(default=24, ge=1, le=30 * 24)


class Letters(Part):
    """How letters are sent. One that asks for more than `approval_limit`, in any currency, is for a lead to approve.

    `printers` is how many processes make PDFs at once; `print_run` the most letters in one file for the print shop.
    """

    approval_limit: Decimal = Field(default=Decimal(10_000), ge=0)
    printers: int = Field(default=2, ge=1, le=64)
    print_run: int = Field(default=200, ge=1, le=2_000)


class Background(Part):
    """How the worker works. A worker that misses `missed_beats` beats is taken for dead and its jobs go to others."""

    heartbeat_seconds: float = 5.0
    missed_beats: int = Field(default=6, ge=2)
    sweep_seconds: float = 30.0
    queue_poll_seconds: float = 0.2
    keep_jobs_days: int = 7
    stop_seconds: float = 20.0


class Settings(BaseSettings):
    """Everything an operator may set. `AMIABLE_DATABASE_URL`, `AMIABLE_SMTP__HOST`, ... or amiable.toml."""

    model_config = SettingsConfigDict(
        env_prefix="AMIABLE_", env_nested_delimiter="__", frozen=True, extra="forbid", toml_file="amiable.toml"
    )

    database_url: str = "sqlite:///var/amiable.db"
    data_folder: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    secret_key: SecretStr | None = None
    tls: bool = False
    session_hours: int = 12
    log_json: bool = False
    default_language: Literal["en", "fr"] = "en"
    workers: int = Field(default=2, ge=1, le=64)
    mailboxes: tuple[MailboxSettings, ...] = ()
    smtp: SmtpSettings = SmtpSettings()
    limits: Limits = Limits()
    intake: Intake = Intake()
    casework: Casework = Casework()
    letters: Letters = Letters()
    background: Background = Background()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings fixes this signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over variables, variables over the TOML file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def blob_folder(self) -> Path:
        """Where raw mail and PDFs are kept, by content hash."""
        return self.data_folder / "blobs"

    @property
    def model_folder(self) -> Path:
        """Where trained models are cached."""
        return self.data_folder / "models"

    @property
    def outgoing_folder(self) -> Path:
        """Where mail goes when no SMTP server is set."""
        return self.smtp.folder or self.data_folder / "outgoing"
