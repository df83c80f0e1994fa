"""Why something is recommended, in words that are true: every number is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from kpay.ml.frames import Floats, Ints
from kpay.ml.recommend_parts import lately
from kpay.ml.recommend_shelf import Catalogue, Owned

FEWEST_TOLD: Final = 3  # common buyers; fewer are no pattern worth a number
NEW_DAYS: Final = 45.0
POPULAR_SHARE: Final = 0.25  # of the pieces that sold lately, the best


class Strength(NamedTuple):
    """How much each part speaks for a piece."""

    ease: float
    kindred: float
    wish: float
    popularity: float


@dataclass(frozen=True, slots=True)
class Reasons:
    """What reasons are made of: who has what together, how alike pieces are, what sold lately."""

    catalogue: Catalogue
    weights: Floats
    alike: Floats
    counts: Floats
    together: Ints
    fresh: Floats

    @classmethod
    def learn(cls, catalogue: Catalogue, owned: Owned, weights: Floats, alike: Floats) -> Reasons:
        """Count who has what, and what together with what."""
        size = len(catalogue)
        fresh = owned.sums(lately(owned.known_days), size)
        return cls(catalogue, weights, alike, owned.counts(size), owned.together(size), fresh)

    def strongest(self, owned: Ints, topics: frozenset[str], item: int, strength: Strength) -> str:
        """Return what speaks most for a piece to somebody, as far as it can be said truly."""
        sayings: tuple[tuple[float, Callable[[], str]], ...] = (
            (strength.ease, lambda: self._bought_too(owned, item)),
            (strength.kindred, lambda: self._alike(owned, item)),
            (strength.wish, lambda: self._wished(topics, item)),
            (strength.popularity, lambda: self._sells(item)),
        )
        for side, say in sorted(sayings, key=lambda saying: -saying[0]):
            if side > 0 and (said := say()):
                return said
        return self._sells(item) or self.plainly(item)

    def next_after(self, owned: Ints, item: int) -> str:
        """Say after which piece it comes."""
        before = [place for place in self.catalogue.after[item] if place in owned]
        return f'next after "{self.catalogue.title[before[-1]]}"'

    def plainly(self, item: int) -> str:
        """Say what can always be said: that it is new, or how many people have it."""
        people = int(self.counts[item])
        if not people or self.catalogue.days_on_show[item] <= NEW_DAYS:
            return "new"
        return f"{people:,} {'person has' if people == 1 else 'people have'} it"

    def _bought_too(self, owned: Ints, item: int) -> str:
        """Name the owned piece that leads to this one, with the real counts behind it."""
        if not len(owned):
            return ""
        both = self.together[owned, item]
        order = np.lexsort((owned, -both, -self.weights[owned, item]))
        for place in order:
            source, common = owned[place], int(both[place])
            if self.weights[source, item] > 0 and common >= FEWEST_TOLD:
                title, people = self.catalogue.title[source], int(self.counts[source])
                return f'{common:,} of {people:,} buyers of "{title}" also bought it'
        return ""

    def _alike(self, owned: Ints, item: int) -> str:
        if not len(owned) or not self.catalogue.is_described:
            return ""
        source = owned[int(np.argmax(self.alike[owned, item]))]
        like = f'like "{self.catalogue.title[source]}"'
        mine = self.catalogue.tags[source]
        shared = [tag for tag in self.catalogue.tags[item] if tag in mine]
        return f"about {', '.join(shared)}, {like}" if shared else like

    def _wished(self, topics: frozenset[str], item: int) -> str:
        chosen = [tag for tag in self.catalogue.tags[item] if tag.casefold() in topics]
        return f"about {', '.join(chosen)}, which you chose" if chosen else ""

    def _sells(self, item: int) -> str:
        selling = self.fresh[self.fresh > 0]
        if not len(selling) or not self.counts[item]:
            return ""
        best = np.quantile(selling, 1 - POPULAR_SHARE)
        return "popular this month" if self.fresh[item] >= max(best, 0.5) else ""
