"""Redis as production has it: behind TLS, behind a Sentinel."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.engines.services import Service, free_port, redis_executable

#: Of each Redis, and of the Sentinel itself; with what a URL cannot hold as it is.
PASSWORD = "p@ss/w:rd"
SENTINEL_PASSWORD = "sentinel-secret"
ENCODED = "p%40ss%2Fw%3Ard"
MASTER = "mymaster"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate for this machine that signs itself, and its key."""
    certificate, key = folder / "ca.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


class SecuredRedis(Service):
    """A Redis server that wants a password; with a certificate it talks TLS only."""

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None = None) -> None:
        self.port = free_port()
        options = ["--port", str(self.port)]
        if certificate is not None:
            options = [
                *("--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"),
                *("--tls-cert-file", str(certificate[0]), "--tls-key-file", str(certificate[1])),
            ]
        super().__init__(
            [
                *(redis_executable() or "", "--bind", "127.0.0.1", *options),
                *("--save", "", "--appendonly", "no", "--dir", str(folder)),
                *("--requirepass", PASSWORD),
            ],
            "eady to accept connections",
        )

    def url(self, database: int) -> str:
        return f"rediss://:{ENCODED}@127.0.0.1:{self.port}/{database}"


class Sentinel(Service):
    """A Sentinel that knows one Redis, and is enough to say which it is."""

    def __init__(self, folder: Path, redis: SecuredRedis) -> None:
        self.port = free_port()
        file = folder / "sentinel.conf"
        file.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\nrequirepass {SENTINEL_PASSWORD}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {redis.port} 1\n"
            f'sentinel auth-pass {MASTER} "{PASSWORD}"\n'
        )
        super().__init__([redis_executable() or "", str(file), "--sentinel"], "+monitor")

    def url(self, database: int) -> str:
        # The first one is not there: the list has to do.
        return ";".join(
            f"sentinel://:{ENCODED}@127.0.0.1:{port}/{database}" for port in (1, self.port)
        )
