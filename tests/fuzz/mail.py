"""`make fuzz`: the mail reader under atheris, time-boxed. Whatever the bytes, a summary comes back and nothing raises.

Needs requirements/fuzz.txt, which the make target installs; the ordinary suite has the same promise under hypothesis
(tests/disputes/test_parsing.py).
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["disputes", "matching"]):
    from disputes.language import Table
    from disputes.mail_summary import unread_summary
    from disputes.mail_worker import summarised
    from disputes.reading import LANGUAGES

import numpy as np

FIELDS = unread_summary("").keys()
NO_LANGUAGES: Table = np.zeros((len(LANGUAGES), 1 << 16), dtype=np.float32)


def one_mail(data: bytes) -> None:
    """Read the bytes as a mail; an exception of any kind ends the run and keeps the bytes."""
    assert summarised(data, NO_LANGUAGES).keys() == FIELDS


def main() -> None:
    """Begin from the public samples where they lie beside the project."""
    samples = [str(folder) for folder in Path(__file__).parents[3].glob("shared/mail/*") if folder.is_dir()]
    atheris.Setup([*sys.argv, *samples], one_mail)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
