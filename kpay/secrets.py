"""Secrets: from the environment, the keyring, or a 0600 secrets.toml in the business folder."""

from __future__ import annotations

import importlib.util
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from kpay.config import SECRETS_FILE
from kpay.errors import CredentialsMissing, SettingsInvalid

NAMES = {
    "stripe_key": "KPAY_STRIPE_KEY",
    "smtp_password": "KPAY_SMTP_PASSWORD",
    "imap_password": "KPAY_IMAP_PASSWORD",
    "resend_key": "KPAY_RESEND_KEY",
}


class Secret:
    """A text that never shows itself in a repr, a log or a traceback."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(...)"

    def reveal(self) -> str:
        """Return the text, for the one adapter that needs it."""
        return self._text


def find(name: str, home: Path, environment: Mapping[str, str]) -> Secret | None:
    """Return a secret by its name in NAMES, or None where it is kept nowhere."""
    text = environment.get(NAMES[name]) or _from_keyring(name, home) or _from_file(name, home)
    return Secret(text.strip()) if text and text.strip() else None


def require(name: str, home: Path, environment: Mapping[str, str]) -> Secret:
    """Return a secret or raise CredentialsMissing saying where it may be put."""
    secret = find(name, home, environment)
    if secret is None:
        variable = NAMES[name]
        raise CredentialsMissing(
            f"no {name.replace('_', ' ')} is set: put it in {variable} or in {SECRETS_FILE}",
            f"read -rs {variable} && export {variable}",
            secret=name,
        )
    return secret


def _from_keyring(name: str, home: Path) -> str | None:
    if importlib.util.find_spec("keyring") is None:
        return None
    import keyring  # noqa: PLC0415 - an optional extra
    from keyring.errors import KeyringError  # noqa: PLC0415 - the same

    try:
        kept: str | None = keyring.get_password(f"kpay:{home}", name)
        return kept
    except KeyringError:  # a server without a keyring answers with an error, not with "none"
        return None


def _from_file(name: str, home: Path) -> str | None:
    path = home / SECRETS_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise SettingsInvalid(
                f"{path} can be read by others (mode {mode:o})", f"chmod 600 {path}"
            )
        value = tomllib.loads(path.read_text(encoding="utf-8")).get(name)
    except FileNotFoundError:
        return None
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{path} cannot be read: {error}", f"$EDITOR {path}") from error
    return value if isinstance(value, str) else None
