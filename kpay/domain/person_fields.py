"""The words of the audience language: what may be asked of a person, and what unknown means."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from kpay.domain.customer_groups import RFM_GROUPS
from kpay.domain.money import exponent
from kpay.domain.person import BANDS, Person

Predicate = Callable[[Person], bool]
Read = Callable[[Person], float | str | None]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to compare: `said` is how it reads in a sentence, `read` gives None where unknown.

    Texts are compared without regard to case; where there are `choices`, only these are written.
    """

    said: str
    read: Read
    is_text: bool = False
    choices: tuple[str, ...] = ()


def _major(minor: int, currency: str | None) -> float:
    return float(minor / 10 ** exponent(currency or "usd"))


def _expected_value(person: Person) -> float | None:
    minor = person.expected_value_minor
    return None if minor is None else _major(minor, person.currency)


def _last_mail_days(person: Person) -> float:
    """Whoever was never mailed has been left alone for ever, not for an unknown time."""
    return math.inf if person.last_mail_days is None else person.last_mail_days


def _text(value: str | None) -> str | None:
    return None if value is None else value.casefold()


FIELDS: Final[Mapping[str, Field]] = {
    "propensity": Field("propensity", lambda person: person.propensity),
    "decile": Field("decile of propensity (1 is best)", lambda person: person.decile),
    "band": Field("propensity band", lambda person: person.band, is_text=True, choices=BANDS),
    "expected_value": Field("expected value", _expected_value),
    "orders": Field("number of paid orders", lambda person: person.orders),
    "spent": Field("amount spent", lambda person: _major(person.spent_minor, person.currency)),
    "last_order_days": Field("days since the last order", lambda person: person.last_order_days),
    "last_mail_days": Field("days since the last mail", _last_mail_days),
    "mails": Field("number of mails", lambda person: person.mails),
    "joined_days": Field("days on the list", lambda person: person.joined_days),
    "rfm": Field(
        "group (kpay segment groups)",
        lambda person: person.rfm,
        is_text=True,
        choices=tuple(RFM_GROUPS),
    ),
    "behaviour": Field(
        "way of buying", lambda person: _text(person.behaviour or None), is_text=True
    ),
    "country": Field("country", lambda person: _text(person.country), is_text=True),
    "timezone": Field("time zone", lambda person: _text(person.timezone), is_text=True),
    "consent_source": Field(
        "source of consent", lambda person: _text(person.consent_source), is_text=True
    ),
    "name": Field("name", lambda person: person.name.casefold(), is_text=True),
    "email_domain": Field(
        "domain of the address",
        lambda person: person.email.rpartition("@")[2].casefold(),
        is_text=True,
    ),
}

SCORES: Final = frozenset({"propensity", "decile", "band", "expected_value"})
"""What is asked of the model's newest scores."""

GROUPS: Final = frozenset({"rfm", "behaviour"})
"""What is asked of the groups that were told apart last."""


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word that is true or false of a person."""

    said: str
    holds: Predicate


WORDS: Final[Mapping[str, Word]] = {
    "all": Word("is on the list", lambda person: person.is_listed),
    "subscribers": Word("is on the list", lambda person: person.is_listed),
    "customers": Word("has bought something", lambda person: person.has_bought),
    "prospects": Word(
        "is on the list and has bought nothing",
        lambda person: person.is_listed and not person.has_bought,
    ),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A function of one text: what it says of a person, and whether it holds."""

    said: str
    denied: str
    ask: Callable[[str], Predicate]


QUESTIONS: Final[Mapping[str, Question]] = {
    "owns": Question(
        "owns {}", "does not own {}", lambda slug: lambda person: slug in person.owned
    ),
    "bought": Question(
        "has bought {}", "has never bought {}", lambda slug: lambda person: slug in person.bought
    ),
    "ends": Question(
        "ends {} soon", "does not end {}", lambda slug: lambda person: slug in person.ending
    ),
    "tag": Question(
        "is tagged {}", "is not tagged {}", lambda tag: lambda person: tag in person.tags
    ),
}


def is_subscribed(person: Person) -> bool:
    """Say whether somebody is on the list with consent and may be mailed."""
    return person.is_listed and person.has_consent and not person.is_suppressed
