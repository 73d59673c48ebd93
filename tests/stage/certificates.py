"""Keys and certificates of a stage: elliptic curves, for RSA takes seconds."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

# A stage lives for minutes or days; the clock of another machine is never asked.
_VALID = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in files.

    Args:
        certificate: PEM.
        key: PEM, for us alone.
    """

    certificate: Path
    key: Path


class Authority:
    """Who signs, in a directory.

    Args:
        directory: Made if it is not there; the files of all that is issued go there.
        name: Its own, and that of its files.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = (
            _begun(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path = directory / f"{name}.crt"
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, file: str, name: str, *groups: str, addresses: tuple[str, ...] = ()) -> Pair:
        """A certificate for a client and, where addresses are given, a server.

        Args:
            file: Name of its files.
            name: The user that the API server sees.
            groups: That user's groups.
            addresses: Of a server, its IP addresses.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        usages += [ExtendedKeyUsageOID.SERVER_AUTH] if addresses else []
        builder = _begun(x509.Name(attributes), self._name, key).add_extension(
            x509.ExtendedKeyUsage(usages), critical=False
        )
        if addresses:
            served = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(served), critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        pair = Pair(self._directory / f"{file}.crt", self._directory / f"{file}.key")
        pair.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        write_key(pair.key, key)
        return pair

    def kubeconfig(self, path: Path, server: str, pair: Pair) -> Path:
        """A way in with a certificate; it carries what it needs, so it can be copied."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "stage",
                    "cluster": {
                        "server": server,
                        "certificate-authority-data": _encoded(self.path),
                    },
                }
            ],
            "users": [
                {
                    "name": path.stem,
                    "user": {
                        "client-certificate-data": _encoded(pair.certificate),
                        "client-key-data": _encoded(pair.key),
                    },
                }
            ],
            "contexts": [{"name": "stage", "context": {"cluster": "stage", "user": path.stem}}],
            "current-context": "stage",
        }
        write_private(path, json.dumps(content).encode())
        return path


def write_key(path: Path, key: ec.EllipticCurvePrivateKey | None = None) -> Path:
    """Write a private key, a new one if none is given."""
    content = (key or ec.generate_private_key(ec.SECP256R1())).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    write_private(path, content)
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only we can read, from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _VALID)
    )


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
