"""A certificate for 127.0.0.1 that only the tests trust."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """Files of a self-signed certificate and its key."""

    certificate: Path
    key: Path

    def trusted(self) -> ssl.SSLContext:
        """A client's context that trusts this certificate and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def served(self) -> ssl.SSLContext:
        """A server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificate(folder: Path) -> Certificate:
    """Make a certificate in a folder."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(made.key)]
    command = ["openssl", "req", "-x509", "-days", "2", *key, "-out", str(made.certificate), *names]
    subprocess.run(command, check=True, capture_output=True)
    made.key.chmod(0o600)
    return made
