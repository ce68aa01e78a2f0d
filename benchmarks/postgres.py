"""A PostgreSQL cluster of a benchmark's own, as durable as PostgreSQL is by default."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app.core.errors import Unavailable

_OLDEST = 15
_SERVER_USER = "postgres"  # PostgreSQL refuses to run as root: then Debian's own user runs it


class NoPostgres(Unavailable):
    """PostgreSQL is not installed here, or did not start."""


def programs() -> Path | None:
    """The folder of the newest installed PostgreSQL's programs (15 or later), None without one."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    suitable = {int(path.parent.name): path for path in found if int(path.parent.name) >= _OLDEST}
    return suitable[max(suitable)] if suitable else None


@contextmanager
def running_postgres() -> Iterator[str]:
    """A fresh cluster in a temporary folder, and the address of an empty database in it; both gone at the end.

    Raises NoPostgres when none can be started.
    """
    binaries = programs()
    if binaries is None:
        raise NoPostgres("PostgreSQL 15 or later is not installed: give an address with --database")
    with TemporaryDirectory(prefix="amiable-pg-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, _SERVER_USER, _SERVER_USER)
        with _started(binaries, Path(name)) as url:
            yield url


@contextmanager
def _started(binaries: Path, folder: Path) -> Iterator[str]:
    data, port = folder / "data", _free_port()
    _command([binaries / "initdb", "-D", data, "-U", "amiable", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
    control = [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    listen = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c max_wal_size=4GB"
    _command([*control, "-o", listen, "start"])
    try:
        yield f"postgresql+psycopg://amiable@127.0.0.1:{port}/postgres"
    finally:
        _command([*control, "-m", "fast", "stop"])


def _command(parts: Sequence[object]) -> None:
    as_user = ["setpriv", "--reuid", _SERVER_USER, "--regid", _SERVER_USER, "--init-groups"]
    command = [*(as_user if os.geteuid() == 0 else []), *map(str, parts)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/")  # noqa: S603 - programs found above, arguments of our own
    if done.returncode:
        raise NoPostgres(f"{Path(str(parts[0])).name} failed: {done.stdout.decode(errors='replace').strip()[-500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
