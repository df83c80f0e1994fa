"""What the front matter of a piece of content may say, and every mistake in it at once.

Every value is read as it was written, so that YAML makes no date, number or False of a title.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, TypeVar

from kpay.domain.enums import ContentKind
from kpay.domain.language import language_of
from kpay.domain.pricing import HOW_TO_WRITE, PriceTag, parse_price
from kpay.domain.slug import is_slug, slugify

KEYS: Final = (
    "title",
    "kind",
    "summary",
    "tags",
    "price",
    "preview",
    "cover",
    "slug",
    "language",
    "includes",
    "after",
    "files",
    "trial_days",
)
LONGEST_TITLE: Final = 200
LONGEST_SUMMARY: Final = 1000
LONGEST_TAG: Final = 50
LONGEST_TRIAL_DAYS: Final = 730  # what the provider allows
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
COVER_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg")
BUNDLING: Final = (ContentKind.BUNDLE, ContentKind.MEMBERSHIP)


T = TypeVar("T")


class Flaw(NamedTuple):
    """One thing wrong with one key."""

    key: str
    problem: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of content as its file describes it.

    `preview` is a number of paragraphs of the body, or a text of its own; `files` are what a buyer
    gets besides the text, and like `cover` they are written relative to the piece's own file. `after`
    are the slugs of what one should have before: earlier parts of a series, what a course builds on.
    `chosen_slug` is None where the title makes the slug.
    """

    title: str
    kind: ContentKind
    price: PriceTag
    chosen_slug: str | None = None
    summary: str = ""
    tags: tuple[str, ...] = ()
    language: str = "en"
    includes: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    cover: str | None = None
    preview: str | int = 1
    trial_days: int = 0


def read_piece(written: Mapping[str, Any]) -> tuple[Piece | None, list[Flaw]]:
    """Return the piece, or None and everything that is wrong with its front matter."""
    front = _Front({key: value for key, value in written.items() if value not in ("", [])})
    title = front.line("title", LONGEST_TITLE)
    price = front.price()
    piece = Piece(
        title=title,
        kind=front.kind(),
        price=price,
        chosen_slug=front.slug(),
        summary=front.line("summary", LONGEST_SUMMARY),
        tags=front.words("tags"),
        language=front.language(title),
        includes=front.words("includes"),
        after=front.words("after"),
        files=front.words("files"),
        cover=front.cover(),
        preview=front.preview(),
        trial_days=front.trial_days(),
    )
    front.flaws += _contradictions(piece, front)
    return (None if front.flaws else piece), front.flaws


def slug_of(piece: Piece, file_stem: str) -> str:
    """Return the slug of a piece: chosen, else from its title, else from its file's name."""
    return piece.chosen_slug or slugify(piece.title) or slugify(file_stem)


class _Front:
    """The written values, and the flaws found while reading them."""

    def __init__(self, written: Mapping[str, Any]) -> None:
        self._written = written
        self.flaws = [Flaw(key, _unknown(key)) for key in written if key not in KEYS]
        if "title" not in written:
            self.flaws.append(Flaw("title", "a piece needs a title (title: My first piece)"))
        if "price" not in written:
            self.flaws.append(Flaw("price", f"say what the piece costs: {HOW_TO_WRITE}"))

    def line(self, key: str, longest: int) -> str:
        value = self._written.get(key, "")
        if not isinstance(value, str):
            return self._flawed(key, f"{key} must be a text", "")
        text = " ".join(value.split())
        if len(text) > longest:
            return self._flawed(key, f"{key} is longer than {longest} characters", "")
        return text

    def words(self, key: str) -> tuple[str, ...]:
        value = self._written.get(key, [])
        listed = value.split(",") if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
            return self._flawed(key, f"{key} must be a list like [one, two]", ())
        found = tuple(dict.fromkeys(" ".join(word.split()) for word in listed if word.strip()))
        if key == "tags" and any(len(tag) > LONGEST_TAG or "," in tag for tag in found):
            return self._flawed(key, f"a tag has no comma and at most {LONGEST_TAG} characters", ())
        return found

    def kind(self) -> ContentKind:
        word = self.line("kind", 40).lower() or ContentKind.ARTICLE
        if word in list(ContentKind):
            return ContentKind(word)
        close = get_close_matches(word, list(ContentKind), n=1)
        meant = f"did you mean {str(close[0])!r}?" if close else f"known: {', '.join(ContentKind)}"
        return self._flawed(
            "kind", f"{word!r} is not a kind of content ({meant})", ContentKind.ARTICLE
        )

    def price(self) -> PriceTag:
        free = PriceTag("free")
        if "price" not in self._written:
            return free
        try:
            return parse_price(self.line("price", 60))
        except ValueError as error:
            return self._flawed("price", str(error), free)

    def slug(self) -> str | None:
        slug = self.line("slug", LONGEST_TITLE)
        if slug and not is_slug(slug):
            better = slugify(slug)
            meant = f" (write {better})" if better else ""
            return self._flawed("slug", f"{slug!r} cannot stand in an address{meant}", None)
        return slug or None

    def language(self, title: str) -> str:
        language = self.line("language", 40) or language_of(title)
        if not LANGUAGE.fullmatch(language):
            return self._flawed(
                "language", f"{language!r} is not a language (write en or zh-CN)", "en"
            )
        return language

    def cover(self) -> str | None:
        cover = self.line("cover", 300)
        if cover and not cover.lower().endswith(COVER_ENDINGS):
            endings = " ".join(COVER_ENDINGS)
            return self._flawed("cover", f"{cover!r} is not a picture ({endings})", None)
        return cover or None

    def preview(self) -> str | int:
        value = self._written.get("preview", "1")
        if not isinstance(value, str):
            return self._flawed("preview", "preview must be a number of paragraphs or a text", 1)
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else text

    def trial_days(self) -> int:
        text = self.line("trial_days", 10) or "0"
        if text.isascii() and text.isdigit() and int(text) <= LONGEST_TRIAL_DAYS:
            return int(text)
        return self._flawed(
            "trial_days", f"{text!r} is not a number of days up to {LONGEST_TRIAL_DAYS}", 0
        )

    def _flawed(self, key: str, problem: str, instead: T) -> T:
        self.flaws.append(Flaw(key, problem))
        return instead


def _contradictions(piece: Piece, front: _Front) -> list[Flaw]:
    """Return what cannot hold together; keys that are wrong by themselves are not named again."""
    price = piece.price
    found: list[Flaw] = []
    if piece.kind is ContentKind.MEMBERSHIP and price.pricing == "fixed" and not price.interval:
        found.append(
            Flaw("price", 'a membership costs something each month or year ("9 usd/month")')
        )
    if price.pricing == "from" and price.interval:
        found.append(Flaw("price", '"from" works for one payment, not for one each month or year'))
    if piece.trial_days and not price.interval:
        found.append(Flaw("trial_days", 'only a price like "9 usd/month" has trial days'))
    if piece.kind is ContentKind.BUNDLE and not piece.includes:
        found.append(
            Flaw("includes", "a bundle says which pieces it includes (includes: [one, two])")
        )
    if piece.includes and piece.kind not in BUNDLING:
        found.append(Flaw("includes", "only a bundle or a membership includes other pieces"))
    wrong = {flaw.key for flaw in front.flaws}
    return [flaw for flaw in found if flaw.key not in wrong]


def _unknown(key: str) -> str:
    close = get_close_matches(key, KEYS, n=1)
    meant = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(KEYS)}"
    return f"{key!r} is not a setting of a piece ({meant})"
