"""Everything known of the customers, dated: what every family of features reads.

Customers are indices into `purchases.customer_ids`, pieces of content indices into `pieces.slug` (-1 for
none). Days count from the as-of instant, as in `Purchases`: a cutoff `c` knows `day < c`. `before(c)`
is the one place where the future is cut off; a family that reads only what it is given cannot see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from kpay.ml.frames import Flags, Floats, Ints, Purchases
from kpay.ml.text import Meanings

OPEN: Final = 10**6
"""The day on which something ends that has not ended yet."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Things that happened to customers, of one kind, ordered by customer and day.

    `value` is what the kind measures: stars as in `Words`, the share of an order that was refunded; 1.0
    where it measures nothing.
    """

    customer: Ints
    day: Ints
    content: Ints
    value: Floats

    def before(self, cutoff: int, who: Flags | None = None) -> Marks:
        """Return only what was known when day `cutoff` began, of the customers in `who` if given."""
        keep = _kept(self.day < cutoff, self.customer, who)
        return Marks(self.customer[keep], self.day[keep], self.content[keep], self.value[keep])

    def __len__(self) -> int:
        return len(self.day)


def no_marks() -> Marks:
    """Return marks of nothing."""
    none = np.zeros(0, dtype=np.int64)
    return Marks(none, none, none, np.zeros(0))


@dataclass(frozen=True, slots=True)
class Words:
    """What customers wrote or asked, one text each, ordered by customer and day.

    Stars are on the store's scale, 0 to 10, NaN where none were given: how far the creator's own scale
    goes is for each cutoff to see (`sentiment.stretched`).
    """

    customer: Ints
    day: Ints
    content: Ints
    stars: Floats
    text: tuple[str, ...]

    def before(self, cutoff: int, who: Flags | None = None) -> Words:
        """Return only what was written when day `cutoff` began, by the customers in `who` if given."""
        kept = np.flatnonzero(_kept(self.day < cutoff, self.customer, who))
        return Words(
            self.customer[kept],
            self.day[kept],
            self.content[kept],
            self.stars[kept],
            tuple(self.text[index] for index in kept),
        )

    def __len__(self) -> int:
        return len(self.text)


def no_words() -> Words:
    """Return no words."""
    none = np.zeros(0, dtype=np.int64)
    return Words(none, none, none, np.zeros(0), ())


@dataclass(frozen=True, slots=True)
class Spans:
    """Subscriptions, ordered by customer and start; OPEN stands for a day that is not known yet.

    A subscription is active on [start, end); `notice` is the day on which its end was announced and
    `trial_end` the first day that is paid for (its start without a trial).
    """

    customer: Ints
    content: Ints
    start: Ints
    trial_end: Ints
    notice: Ints
    end: Ints
    interval_days: Floats
    amount_minor: Ints  # what a period costs
    currency: Ints  # index into Purchases.currencies, -1 for one that nobody has paid in

    def before(self, cutoff: int, who: Flags | None = None) -> Spans:
        """Return what was known when day `cutoff` began: later notices and ends are OPEN.

        With `who`, only of those customers.
        """
        keep = _kept(self.start < cutoff, self.customer, who)
        return Spans(
            self.customer[keep],
            self.content[keep],
            self.start[keep],
            self.trial_end[keep],
            _known(self.notice[keep], cutoff),
            _known(self.end[keep], cutoff),
            self.interval_days[keep],
            self.amount_minor[keep],
            self.currency[keep],
        )

    def __len__(self) -> int:
        return len(self.start)


def no_spans() -> Spans:
    """Return no subscriptions."""
    none = np.zeros(0, dtype=np.int64)
    return Spans(none, none, none, none, none, none, np.zeros(0), none, none)


def _kept(is_past: Flags, customer: Ints, who: Flags | None) -> Flags:
    return is_past if who is None else np.asarray(is_past & who[customer])


def _known(day: Ints, cutoff: int) -> Ints:
    return np.asarray(np.where(day < cutoff, day, OPEN))


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece's text as it was published anew on a day."""

    day: int
    piece: int
    text: str


@dataclass(frozen=True, slots=True)
class Pieces:
    """What is or was on sale; a piece is on sale on [first_day, last_day).

    `text` is what was published first: title, summary, tags and body, in any language. Texts that came
    later are `edits`, in the order of their days.
    """

    slug: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    tags: tuple[tuple[str, ...], ...] = ()
    price_minor: Ints = field(default_factory=_none)
    currency: Ints = field(default_factory=_none)  # as in Spans
    first_day: Ints = field(default_factory=_none)
    last_day: Ints = field(default_factory=_none)
    edits: tuple[Edit, ...] = ()

    def texts(self, cutoff: int) -> tuple[str, ...]:
        """Return the texts as they stood when day `cutoff` began."""
        standing = list(self.text)
        for edit in self.edits:
            if edit.day < cutoff:
                standing[edit.piece] = edit.text
        return tuple(standing)

    def known(self, cutoff: int) -> Flags:
        """Return which pieces had been published when day `cutoff` began."""
        return np.asarray(self.first_day < cutoff)

    def on_sale(self, cutoff: int) -> Flags:
        """Return which pieces could be bought when day `cutoff` began."""
        return np.asarray((self.first_day < cutoff) & (self.last_day >= cutoff))

    def __len__(self) -> int:
        return len(self.slug)


@dataclass(frozen=True, slots=True)
class History:
    """Purchases and all that is known beside them; `bought` are the pieces somebody paid for.

    `marks` are by kind: "refund", "mail", "click", "reply", "join" (the mailing list), "unsubscribe",
    "visit", "lesson" and "review" (its value the stars); a kind that never happened is not there.
    `words` are opinions and questions, `wishes` the topics that people asked for when they joined.
    `meanings` are vectors of all texts where the creator has a model for that, else likeness is read
    from n-grams.
    """

    purchases: Purchases
    bought: Marks = field(default_factory=no_marks)
    marks: Mapping[str, Marks] = field(default_factory=dict)
    words: Words = field(default_factory=no_words)
    wishes: Words = field(default_factory=no_words)
    spans: Spans = field(default_factory=no_spans)
    pieces: Pieces = field(default_factory=Pieces)
    meanings: Meanings | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text in it once, ascending."""
        later = (edit.text for edit in self.pieces.edits)
        return tuple(sorted({*self.pieces.text, *later, *self.words.text, *self.wishes.text}))

    @property
    def texts_by(self) -> str:
        """Which model the meanings of its texts are by, "" where likeness is read from n-grams."""
        return self.meanings.model if self.meanings else ""

    def before(self, cutoff: int) -> History:
        """Return only what was known when day `cutoff` began; pieces keep their places.

        Whoever had not bought yet is left out of everything: that they are among the customers is
        known only because they bought later.
        """
        purchases = self.purchases.before(cutoff)
        who = np.zeros(len(purchases.customer_ids), dtype=bool)
        who[purchases.customer] = True
        return self._limited(purchases, cutoff, who)

    def only(self, who: Flags) -> History:
        """Return only what is about the customers marked, one flag for each of `customer_ids`."""
        return self._limited(self.purchases.of(who), OPEN + 1, who)

    def _limited(self, purchases: Purchases, cutoff: int, who: Flags) -> History:
        return replace(
            self,
            purchases=purchases,
            bought=self.bought.before(cutoff, who),
            marks={kind: marks.before(cutoff, who) for kind, marks in self.marks.items()},
            words=self.words.before(cutoff, who),
            wishes=self.wishes.before(cutoff, who),
            spans=self.spans.before(cutoff, who),
        )

    def of(self, kind: str) -> Marks:
        """Return the marks of a kind, none where it never happened."""
        return self.marks.get(kind) or no_marks()
