"""Signed tokens for links that leave the house; the key is a 0600 file made on first use."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from kpay.errors import DiskProblem
from kpay.files import write_new

KEY_FILE = "signing.key"


class Signer:
    """Signs short texts with SHA-256 for one purpose, so that a token is good for nothing else."""

    def __init__(self, home: Path, purpose: str) -> None:
        self._serializer = URLSafeSerializer(
            signing_key(home),
            salt=f"kpay.{purpose}",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def sign(self, text: str) -> str:
        """Return a token that can stand in an address."""
        return str(self._serializer.dumps(text))

    def read(self, token: str) -> str | None:
        """Return the text of a genuine token, else None."""
        try:
            text = self._serializer.loads(token)
        except BadData:
            return None
        return text if isinstance(text, str) else None


def signing_key(home: Path) -> str:
    """Return the business's key, made once; two runs that start together agree on one."""
    path = home / KEY_FILE
    try:
        if not path.exists():
            _make_key(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise DiskProblem(f"{path} cannot be used: {error.strerror}", f"ls -l {path}") from error


def _make_key(path: Path) -> None:
    """Write a whole file first and link it into place, so that nobody reads half a key."""
    part = path.with_name(f"{KEY_FILE}.{secrets.token_hex(4)}")
    write_new(part, secrets.token_hex(32).encode())
    try:
        os.link(part, path)
    except FileExistsError:
        return  # another run was quicker
    finally:
        part.unlink()
