"""The pages of what is published: one for each piece, one that lists them all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpay.domain.enums import ContentKind, Interval
from kpay.domain.language import is_right_to_left, language_of
from kpay.domain.money import format_minor
from kpay.domain.period import local_day
from kpay.domain.pricing import PriceTag
from kpay.domain.site_words import words_for
from kpay.files import FOR_ANYONE, disk_problems, write_whole
from kpay.ports import MarkdownRenderer, Renderer

PIECES = "c"
HUES = 360
PROMISES = {ContentKind.MEMBERSHIP: "members", ContentKind.BUNDLE: "inside"}


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What every page says about the business."""

    name: str
    url: str
    timezone: str


@dataclass(frozen=True, slots=True)
class PublishedText:
    """A piece as its page shows it; `body` is empty where only the preview may be read.

    `also` are the slugs of what its buyers bought as well.
    """

    row: Mapping[str, Any]
    price: PriceTag
    buy_url: str | None
    cover: Path | None
    also: tuple[str, ...] = ()


class SiteWriter:
    """Writes the site into a folder; a file that would not change is not written."""

    def __init__(
        self, folder: Path, renderer: Renderer, markdown: MarkdownRenderer, facts: SiteFacts
    ) -> None:
        self._folder = folder
        self._renderer = renderer
        self._markdown = markdown
        self._facts = facts

    def write(self, texts: Sequence[PublishedText]) -> int:
        """Write the pages of everything that is published; return how many files changed."""
        cards = {text.row["slug"]: self._card(text) for text in texts}
        written = 0
        for text in texts:
            written += self._write_piece(text, cards)
        home = self._renderer.render(
            "site/index.html",
            {**self._common(language_of(self._facts.name)), "cards": list(cards.values())},
        )
        return written + _write_changed(self._folder / "index.html", home.encode())

    def remove(self, slug: str) -> bool:
        """Remove the page of a piece; say whether there was one."""
        page = self._folder / page_of(slug)
        is_there = page.exists()
        page.unlink(missing_ok=True)
        return is_there

    def _write_piece(self, text: PublishedText, cards: Mapping[str, Mapping[str, Any]]) -> int:
        slug, language = text.row["slug"], text.row["language"]
        included = [cards[name] for name in text.row["includes"] if name in cards]
        page = self._renderer.render(
            "site/piece.html",
            {
                **self._common(language),
                "piece": cards[slug],
                "body": self._markdown.to_html(self._readable(text)),
                "is_whole": text.price.pricing == "free",
                "action": self._action(text),
                "promise": _promise(text),
                "included": included,
                "also": [cards[name] for name in text.also if name in cards],
                "canonical": self._address(f"{PIECES}/{slug}.html"),
            },
        )
        written = _write_changed(self._folder / page_of(slug), page.encode())
        if text.cover is not None:
            written += _write_changed(
                self._folder / PIECES / cover_name(slug, text.cover), text.cover.read_bytes()
            )
        return written

    def _readable(self, text: PublishedText) -> str:
        key = "body" if text.price.pricing == "free" else "preview"
        return str(text.row[key])

    def _common(self, language: str) -> dict[str, Any]:
        return {
            "language": language,
            "direction": "rtl" if is_right_to_left(language) else "ltr",
            "words": words_for(language),
            "site": {"name": self._facts.name or "kpay", "url": self._facts.url},
        }

    def _card(self, text: PublishedText) -> dict[str, Any]:
        row = text.row
        words = words_for(row["language"])
        day = local_day(row["published_at"], self._facts.timezone)
        return {
            "slug": row["slug"],
            "title": row["title"],
            "summary": row["summary"],
            "kind": row["kind"],
            "kind_word": words[row["kind"]],
            "tags": list(row["tags"]),
            "language": row["language"],
            "price": price_words(text.price, words),
            "published": words["published"].format(day=day.isoformat()),
            "cover": cover_name(row["slug"], text.cover) if text.cover else None,
            "hue": hue_of(row["slug"]),
        }

    def _action(self, text: PublishedText) -> dict[str, str] | None:
        """Return the button: its address and its word; None where there is nothing to buy (yet)."""
        if text.buy_url is None:
            return None
        words = words_for(text.row["language"])
        word = words["join" if text.row["kind"] == ContentKind.MEMBERSHIP else "buy"]
        if text.row["trial_days"]:
            word = words["try"].format(days=text.row["trial_days"])
        return {"url": text.buy_url, "word": word}

    def _address(self, path: str) -> str:
        return f"{self._facts.url.rstrip('/')}/{path}" if self._facts.url else ""


def _promise(text: PublishedText) -> str:
    words = words_for(text.row["language"])
    if text.buy_url is None:
        return words["soon"]
    return words[PROMISES.get(text.row["kind"], "rest")]


def page_of(slug: str) -> str:
    """Return where in the site the page of a piece stands."""
    return f"{PIECES}/{slug}.html"


def cover_name(slug: str, cover: Path) -> str:
    """Return the file name of a piece's cover in the site."""
    return f"{slug}-cover{cover.suffix.lower()}"


def hue_of(slug: str) -> int:
    """Return the hue, in degrees, of a piece that has no cover: always the same for a slug."""
    return int.from_bytes(hashlib.sha256(slug.encode()).digest()[:2], "big") % HUES


def price_words(price: PriceTag, words: Mapping[str, str]) -> str:
    """Write a price in the words of a page's language."""
    if price.pricing == "free" or price.currency is None:
        return words["free"]
    amount = format_minor(price.amount_minor, price.currency)
    if price.pricing == "from":
        return words["from"].format(amount=amount)
    return words[f"each_{price.interval}"].format(amount=amount) if price.interval else amount


def price_of(row: Mapping[str, Any]) -> PriceTag:
    """Return the price of a row of content."""
    interval = Interval(row["interval"]) if row["interval"] else None
    return PriceTag(row["pricing"], row["amount_minor"], row["currency"], interval)


def _write_changed(path: Path, content: bytes) -> int:
    """Write a file whole or not at all; return 0 when it says so already."""
    with disk_problems(path):
        if path.is_file() and path.read_bytes() == content:
            return 0
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content, mode=FOR_ANYONE)
    return 1
