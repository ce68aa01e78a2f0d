"""A scheduler that dies: it begins to write a digest, says so, and never gets further. Run by test_digests.py."""

import sys
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from app.core.db import create_engine, session_factory, transaction
from app.core.events import system
from app.core.settings import Settings
from disputes.actions import digests
from disputes.digest_tokens import MailTokens
from disputes.queries.digests import due


def main(url: str, folder: str, at: str) -> None:
    """Take the period, then wait for a line that never comes."""
    settings = Settings(database_url=url, data_folder=Path(folder), secret_key=SecretStr("a secret of the tests only"))
    now = datetime.fromisoformat(at)

    def tell() -> digests.Told:
        sys.stdout.write("inside\n")
        sys.stdout.flush()
        sys.stdin.readline()
        raise AssertionError("nobody lets it go on")

    with transaction(session_factory(create_engine(settings.database_url))) as session:
        first = due(session, now=now)[0]
        digests.make(session, due=first, tell=tell, tokens=MailTokens(b"k"), actor=system("digests"), now=now)


if __name__ == "__main__":
    main(*sys.argv[1:])
