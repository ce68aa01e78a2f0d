"""Tests reach this machine and nothing else."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class OutsideConnectionError(AssertionError):
    """A test tried to leave the machine."""


def is_inside(address: object) -> bool:
    """Whether an address is a Unix socket or on the loopback interface."""
    if not isinstance(address, tuple):
        return True
    return _is_loopback(str(address[0]))


def _is_loopback(host: str) -> bool:
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: object) -> Any:
        if not is_inside(address):
            raise OutsideConnectionError(f"a test tried to connect to {address!r}")
        return connect(self, address)

    return guarded


def _guarded_lookup(lookup: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_loopback(name):
            raise OutsideConnectionError(f"a test tried to look up {name!r}")
        return lookup(host, *rest, **options)

    return guarded


@contextmanager
def loopback_only() -> Iterator[None]:
    """Refuse connections and look-ups that leave this machine, made by Python code of this process."""
    with _patches() as patch:
        patch(socket.socket, "connect", _guarded(socket.socket.connect))
        patch(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield


@contextmanager
def _patches() -> Iterator[Callable[[Any, str, Any], None]]:
    """Replaces attributes for as long as the block lasts."""
    undo: list[tuple[Any, str, Any]] = []

    def patch(target: Any, name: str, value: Any) -> None:
        undo.append((target, name, getattr(target, name)))
        setattr(target, name, value)

    try:
        yield patch
    finally:
        for target, name, value in reversed(undo):
            setattr(target, name, value)
