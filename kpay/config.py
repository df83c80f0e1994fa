"""Settings: flag > environment (KPAY_*) > kpay.toml > user settings > default.

Every setting is one flat key; its environment variable is KPAY_ and the key in capitals. Secrets
are kept apart: they come from the environment, the keyring or a 0600 secrets.toml, never kpay.toml.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kpay.errors import BusinessNotFound, SettingsInvalid

SETTINGS_FILE = "kpay.toml"
SECRETS_FILE = "secrets.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a business; `origins` says where each value came from."""

    name: str = field(
        default="", metadata={"help": "What the business is called, in mails and reports."}
    )
    timezone: str = field(default="UTC", metadata={"help": "Whose days and months reports use."})
    base_currency: str = field(
        default="usd", metadata={"help": "The currency of MRR and of money compared over time."}
    )
    live: bool = field(default=False, metadata={"help": "Allow real charges, refunds and mail."})
    refund_days: int = field(
        default=30,
        metadata={"help": "How many days after a sale a refund needs no second thought."},
    )
    mail: str = field(default="outbox", metadata={"help": "outbox (.eml files), smtp or resend."})
    mail_from: str = field(
        default="", metadata={"help": 'The sender: "Ana Lee <ana@example.com>".'}
    )
    report_to: str = field(
        default="", metadata={"help": "Where `kpay report --mail` sends (else mail_from)."}
    )
    smtp_url: str = field(
        default="", metadata={"help": "smtp://user@host:port?tls=none|starttls|implicit"}
    )
    smtp_timeout_s: int = field(
        default=30,
        metadata={"help": "Seconds for a mail server's answer; four times that after a message."},
    )
    mail_connections: int = field(
        default=4, metadata={"help": "How many connections to the mail server at once."}
    )
    mail_per_second: int = field(
        default=0, metadata={"help": "At most so many messages a second (0: no limit)."}
    )
    mail_per_hour: int = field(
        default=0, metadata={"help": "At most so many messages an hour (0: no limit)."}
    )
    mail_per_day: int = field(
        default=0, metadata={"help": "At most so many messages a day (0: no limit)."}
    )
    mail_per_domain_minute: int = field(
        default=0,
        metadata={"help": "At most so many a minute to one domain of readers (0: no limit)."},
    )
    warm_up: bool = field(
        default=False, metadata={"help": "Send a few a day at first, and more every day."}
    )
    quiet_hours: str = field(
        default="", metadata={"help": 'When campaigns rest, in the reader\'s zone: "21:00-08:00".'}
    )
    mail_rest_days: int = field(
        default=0, metadata={"help": "Days that a reader is left alone after a campaign (0: none)."}
    )
    value_rule: bool = field(
        default=False, metadata={"help": "Mail only whom it is worth more than it may cost."}
    )
    receipts: bool = field(
        default=False, metadata={"help": "Mail a receipt for renewals; purchases always have one."}
    )
    postal_address: str = field(
        default="", metadata={"help": "The postal address below every campaign mail."}
    )
    unsubscribe_url: str = field(
        default="", metadata={"help": "The https address that takes one-click unsubscribes."}
    )
    unsubscribe_mailto: str = field(
        default="", metadata={"help": "The address that takes unsubscribe mails (else mail_from)."}
    )
    confirm_url: str = field(
        default="", metadata={"help": "The https address that confirms a place on the list."}
    )
    bounce_address: str = field(
        default="", metadata={"help": "Where bounces go: the envelope sender (else mail_from)."}
    )
    dkim_selector: str = field(
        default="", metadata={"help": "The name of your DKIM key in DNS, for `kpay doctor`."}
    )
    imap_url: str = field(
        default="", metadata={"help": "imaps://user@host/FOLDER, where bounces and replies arrive."}
    )
    embedding_model: str = field(
        default="", metadata={"help": "A folder with a local model of texts (model2vec), if any."}
    )
    site_url: str = field(
        default="", metadata={"help": "Where your pages stand; links in mails begin with it."}
    )
    stripe_api_base: str = field(
        default="", metadata={"help": "Another address for the provider's API (tests, proxies)."}
    )
    resend_api_base: str = field(
        default="", metadata={"help": "Another address for Resend's API (tests, proxies)."}
    )
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


TYPES: Mapping[str, type] = {
    item.name: type(item.default) for item in fields(Settings) if item.name != "origins"
}
SHAPES: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "a text in quotes",
}
KEYS = tuple(TYPES)


def find_home(explicit: str | None, environment: Mapping[str, str], start: Path) -> Path:
    """Return the folder of the business: --home, KPAY_HOME, or the first kpay.toml upward.

    Raises BusinessNotFound.
    """
    named = explicit or environment.get("KPAY_HOME")
    if named:
        home = Path(named).expanduser().absolute()
        if not (home / SETTINGS_FILE).is_file():
            raise BusinessNotFound(str(home))
        return home
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    raise BusinessNotFound(str(start))


def load(home: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read the settings of a business (or of none); raise SettingsInvalid naming key and file."""
    layers = [
        ("user settings", _read(_user_file(environment))),
        (SETTINGS_FILE, _read(home / SETTINGS_FILE) if home else {}),
        ("environment", _from_environment(environment)),
    ]
    values: dict[str, Any] = {}
    origins: dict[str, str] = dict.fromkeys(KEYS, "default")
    for origin, layer in layers:
        for key, value in layer.items():
            values[key] = _checked(key, value, origin)
            origins[key] = f"KPAY_{key.upper()}" if origin == "environment" else origin
    return Settings(**values, origins=origins)


def _user_file(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_CONFIG_HOME") or os.path.join(
        environment.get("HOME", "/"), ".config"
    )
    return Path(base) / "kpay" / "settings.toml"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} cannot be read: {error}", f"$EDITOR {path}") from error
    except OSError as error:
        raise SettingsInvalid(
            f"{path} cannot be read: {error.strerror}", f"ls -l {path}"
        ) from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in KEYS:
        text = environment.get(f"KPAY_{key.upper()}")
        if text is None:
            continue
        found[key] = _from_text(key, text)
    return found


def _from_text(key: str, text: str) -> Any:
    if TYPES[key] is bool:
        return text.strip().lower() in ("1", "true", "yes", "on")
    return int(text) if TYPES[key] is int and text.strip().isdecimal() else text


def _checked(key: str, value: Any, origin: str) -> Any:
    if key not in KEYS:
        raise SettingsInvalid(
            f"{origin} has an unknown key {key!r}{_did_you_mean(key)}", "kpay config"
        )
    wanted = TYPES[key]
    if type(value) is not wanted:
        shape = SHAPES[wanted]
        raise SettingsInvalid(f"{key} in {origin} must be {shape}, not {value!r}", "kpay config")
    checker = CHECKS.get(key)
    problem = checker(str(value)) if checker else None
    if problem:
        raise SettingsInvalid(f"{key} in {origin}: {problem}", "kpay config")
    return value


def _did_you_mean(key: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only on the way to an error

    close = get_close_matches(key, KEYS, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _zone_problem(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{name!r} is not a time zone (write one like Europe/Berlin)"
    return None


def _currency_problem(code: str) -> str | None:
    fine = len(code) == 3 and code.isascii() and code.isalpha() and code == code.lower()
    return None if fine else f"{code!r} is not a lower-case three-letter currency"


def _mail_problem(transport: str) -> str | None:
    fine = transport in ("outbox", "smtp", "resend")
    return None if fine else f"{transport!r} is neither outbox nor smtp nor resend"


def _count_problem(number: str) -> str | None:
    return f"{number} cannot be counted" if number.startswith("-") else None


def _at_least_one_problem(number: str) -> str | None:
    return None if int(number) > 0 else f"{number} is not above 0"


def _hours_problem(text: str) -> str | None:
    if not text or HOURS.fullmatch(text):
        return None
    return f'{text!r} is not a span of hours (write "21:00-08:00")'


HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
COUNTS = (
    "refund_days",
    "mail_rest_days",
    "mail_per_second",
    "mail_per_hour",
    "mail_per_day",
    "mail_per_domain_minute",
)
CHECKS = {
    **dict.fromkeys(COUNTS, _count_problem),
    "smtp_timeout_s": _at_least_one_problem,
    "mail_connections": _at_least_one_problem,
    "quiet_hours": _hours_problem,
    "timezone": _zone_problem,
    "base_currency": _currency_problem,
    "mail": _mail_problem,
}
