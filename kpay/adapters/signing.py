"""Signed tokens for links that leave the house; the key is a 0600 file made on first use."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_encode

from kpay.files import lasting_key

KEY_FILE = "signing.key"


class Signer:
    """Signs short texts with SHA-256 for one purpose, so that a token is good for nothing else."""

    def __init__(self, home: Path, purpose: str) -> None:
        self._serializer = URLSafeSerializer(
            signing_key(home),
            salt=f"kpay.{purpose}",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
        self._key = self._serializer.make_signer(f"kpay.{purpose}").derive_key()
        """Derived once: the serializer derives it again for each token, a tenth of a message's work."""

    def sign(self, text: str) -> str:
        """Return a token that can stand in an address."""
        payload = base64_encode(json.dumps(text).encode())
        digest = hmac.digest(self._key, payload, "sha256")
        return (payload + b"." + base64_encode(digest)).decode()

    def read(self, token: str) -> str | None:
        """Return the text of a genuine token, else None."""
        try:
            text = self._serializer.loads(token)
        except BadData:
            return None
        return text if isinstance(text, str) else None


def signing_key(home: Path) -> str:
    """Return the business's key, made once."""
    return lasting_key(home / KEY_FILE)
