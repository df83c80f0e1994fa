"""Prices that a letter names beside what it sells, held against what it costs today."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Final

from kpay.domain.campaign_file import Offer
from kpay.domain.money import SYMBOLS, exponent, format_minor

SIGNS: Final = {
    "$": frozenset({"usd", "cad", "aud", "nzd", "sgd", "hkd", "mxn"}),
    "¥": frozenset({"jpy", "cny"}),
} | {sign: frozenset({code}) for code, sign in SYMBOLS.items() if sign not in ("$", "¥")}
CLAIM: Final = re.compile(
    r"(?P<sign>CN¥|[$€£¥₹₩])\s?(?P<first>\d[\d,.]*(?<=\d))"
    r"|(?<![\w.,])(?P<second>\d[\d,.]*(?<=\d))\s?(?P<code>[€£]|(?!AM|PM)[A-Za-z]{3})(?![A-Za-z])"
)
SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s+")
NOT_ITS_PRICE: Final = re.compile(
    r"(?:\b(?:spen[dt]s?|paid|pay|earn(?:ed|s)?|raised?|lost|made|makes?|saved?|saves|worth|was|were|"
    r"than|instead of|rather than|usually|normally|about|around|roughly|almost|nearly|over|under|"
    r"approximately|first|another|extra|minus|less)|[~≈])\s*$",
    re.IGNORECASE,
)
TAKEN_OFF: Final = re.compile(r"\s*(?:off|less|cheaper|discount)\b", re.IGNORECASE)
THING: Final = (
    r"(?:this|the|my|our) (?:course|e-?book|book|article|guide|video|audio|bundle|membership|piece)"
)
ITS_PRICE: Final = re.compile(
    rf"(?:\b(?:it|they|{THING}) (?:now )?costs?|\b(?:the|its) price(?: is|:)?|\bprice:|"
    r"\byours for|\bget it for|\bbuy it for|\bfor (?:only|just)|\bit(?: is|['’]s)(?: now| only| just)*)\s*$",
    re.IGNORECASE,
)
CRIED: Final = re.compile(r"\b(?:only|just|now)\s*$", re.IGNORECASE)
CRY_ENDS: Final = re.compile(r"\s*(?:[.!,;:)]|$|(?:today|until|this|instead)\b)", re.IGNORECASE)
PERCENT: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s?%")
MONTHS: Final = {"month": 12, "week": 52, "day": 365}


@dataclass(frozen=True, slots=True)
class Priced:
    """A published piece as letters may speak of it; `addresses` are its page and where it is sold."""

    title: str
    pricing: str
    amount_minor: int
    currency: str
    interval: str = ""
    addresses: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What it costs, for people."""
        if self.pricing == "free" or not self.currency:
            return "nothing"
        rhythm = f" a {self.interval}" if self.interval else ""
        least = "at least " if self.pricing == "from" else ""
        return f"{least}{format_minor(self.amount_minor, self.currency)}{rhythm}"

    def may_cost(self, minor: int, offer: Offer | None) -> bool:
        """Say whether an amount can be what it costs today, as a whole year, or with the offer."""
        if self.pricing == "from" and minor >= self.amount_minor:
            return True
        sums = {self.amount_minor, self.amount_minor * MONTHS.get(self.interval, 1)}
        if minor in sums:
            return True
        return offer is not None and any(_is_reduced(minor, whole, self, offer) for whole in sums)


def price_problems(
    passage: str, pieces: Mapping[str, Priced], about: Collection[str], offer: Offer | None
) -> Iterator[str]:
    """Yield each price in a paragraph that is not the price of the piece it stands beside.

    A piece is beside a price when its title or its address is in the same sentence; "it costs" and
    the like speak of the pieces of the paragraph, else of what the letter is about.
    """
    if not any(sign.isdigit() for sign in passage) or not CLAIM.search(passage):
        return
    named = _named_in(passage, pieces)
    for sentence in SENTENCE.split(passage):
        claims = list(CLAIM.finditer(sentence))
        here = _named_in(sentence, pieces) if claims else ()
        for claim in claims:
            before, after = sentence[: claim.start()], sentence[claim.end() :]
            meant = here or ((named or tuple(about)) if _is_a_price(before, after) else ())
            wrong = _wrong(claim, before, after, [pieces[slug] for slug in meant])
            if wrong and not any(piece.may_cost(wrong[0], offer) for piece in wrong[1]):
                piece = wrong[1][0]
                yield f"says {claim[0]} beside {piece.title!r}, which costs {piece.words} today"


def _is_a_price(before: str, after: str) -> bool:
    """Say whether an amount is called the price of something: "it costs $9", "only $9!"."""
    return bool(ITS_PRICE.search(before) or (CRIED.search(before) and CRY_ENDS.match(after)))


def _wrong(
    claim: re.Match[str], before: str, after: str, meant: list[Priced]
) -> tuple[int, list[Priced]] | None:
    """Return the amount and whose price it claims to be; None when it claims nothing."""
    if not meant or NOT_ITS_PRICE.search(before) or TAKEN_OFF.match(after):
        return None
    sold = [piece for piece in meant if piece.currency]
    currencies = _currencies(claim["sign"] or claim["code"], sold)
    if not sold or not currencies:
        return None
    same = [piece for piece in sold if piece.currency in currencies]
    minor = _minor(claim["first"] or claim["second"], (same or sold)[0].currency)
    if minor is None:
        return None
    return (minor, same) if same else (-1, sold)


def _named_in(text: str, pieces: Mapping[str, Priced]) -> tuple[str, ...]:
    folded = " ".join(text.casefold().split())
    return tuple(
        slug
        for slug, piece in pieces.items()
        if piece.title.casefold() in folded or any(one in text for one in piece.addresses)
    )


def _currencies(sign: str, sold: list[Priced]) -> frozenset[str]:
    """Return which currencies a sign or a code may mean; "12 PDF" and "10 min" mean none."""
    code = sign.lower()
    is_code = code in SYMBOLS or any(code == piece.currency for piece in sold)
    return SIGNS.get(sign) or frozenset({code} if is_code else ())


def _minor(number: str, currency: str) -> int | None:
    """Read an amount as letters write it: 1,250.00 and 1.250,00 and 1250."""
    digits = exponent(currency)
    whole, mark, cents = _parted(number, digits)
    plain = re.sub(r"[.,]", "", whole) + (f".{cents}" if mark else "")
    try:
        return int(Decimal(plain).scaleb(digits))
    except InvalidOperation:
        return None


def _parted(number: str, digits: int) -> tuple[str, str, str]:
    """Split at the last point or comma when as many digits follow as the currency has."""
    at = max(number.rfind("."), number.rfind(","))
    if at >= 0 and len(number) - at - 1 in {1, digits} and digits:
        return number[:at], number[at], number[at + 1 :]
    return number, "", ""


def _is_reduced(minor: int, whole: int, piece: Priced, offer: Offer) -> bool:
    """Say whether an amount is what the offer's words leave of a price.

    Where the words name neither a share nor an amount, anything below the price may be right.
    """
    shares = [Decimal(found.replace(",", ".")) for found in PERCENT.findall(offer.text)]
    exact = [whole * (100 - share) / 100 for share in shares]
    left = {
        int(amount.to_integral_value(way))
        for amount in exact
        for way in (ROUND_FLOOR, ROUND_CEILING)
    }
    for claim in CLAIM.finditer(offer.text):
        named = _minor(claim["first"] or claim["second"], piece.currency)
        if named is not None:
            left |= {whole - named, named}
    return minor in left if left else 0 < minor < whole
