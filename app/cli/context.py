"""What every command needs: settings, sessions, output for people or machines."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app.core import db, log
from app.core.errors import DomainError
from app.core.settings import Settings


class BadSettings(DomainError):
    """A setting is unknown or has a value that cannot be."""


def read_settings() -> Settings:
    """Settings from variables and amiable.toml; raises BadSettings naming each wrong one."""
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise BadSettings(f"Settings cannot be read: {wrong}") from error
    log.configure(json=settings.log_json, stream=sys.stderr)
    return settings


def open_sessions(settings: Settings) -> sessionmaker[Session]:
    """A session factory on the configured database."""
    return db.session_factory(open_engine(settings))


def open_engine(settings: Settings) -> Engine:
    """The configured database."""
    return db.create_engine(settings.database_url)


def print_result(result: Mapping[str, Any], *, as_json: bool) -> None:
    """One JSON object for machines, `name  value` lines for people."""
    if as_json:
        sys.stdout.write(json.dumps(result, default=str, ensure_ascii=False) + "\n")
        return
    width = max((len(key) for key in result), default=0)
    for key, value in result.items():
        sys.stdout.write(f"{key:<{width}}  {value}\n")
