"""Reads mails in a process of its own, with little memory, started by `disputes.guarded`: one that hangs is ended.

Over its pipes: a line with the size, then the bytes of a mail; out comes one frame, the JSON of its summary.
"""

import json
import logging
import resource
import sys
from typing import IO, Any

from app.core.settings import Limits
from disputes.documents import start_reading
from disputes.examples import shipped_examples
from disputes.guarded import write_frame
from disputes.language import Table, learn_languages
from disputes.mail_summary import summary_of, unread_summary
from disputes.parsing import Unreadable, parse

MEMORY_BYTES = 250_000_000
"""What the process may write to, its libraries included (M22, S10)."""


def main() -> None:
    """Answer requests until the pipe closes."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    logging.disable(logging.CRITICAL)
    languages = learn_languages(shipped_examples())
    start_reading()
    write_frame(sys.stdout.buffer, "ready")
    while line := sys.stdin.buffer.readline():
        answer(sys.stdin.buffer.read(int(line)), sys.stdout.buffer, languages)


def answer(raw: bytes, out: IO[bytes], languages: Table) -> None:
    """Write what was read, or why nothing was."""
    write_frame(out, json.dumps(summarised(raw, languages), ensure_ascii=False))


def summarised(raw: bytes, languages: Table) -> dict[str, Any]:
    """The summary of any bytes whatever."""
    try:
        return summary_of(parse(raw, limits=Limits()), languages)
    except Unreadable as error:
        return unread_summary(error.message)
    except MemoryError:
        return unread_summary("Reading it takes too much memory")


if __name__ == "__main__":
    main()
