"""A source on which rows and events show up late, events come twice, and the line breaks off."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

from kpay.ports import Page
from tests.fakes.provider import PATHS, FakeProvider, FakeSource

LATE_S: Final = 3600
"""So late may a row be: as far back as every sync looks again."""

NEVER_LATE: Final = ("products", "prices", "payment_links", "coupons", "promotion_codes")


class LateSource(FakeSource):
    """Hides some rows of each list during one sync; what was shown once stays.

    With `only_events` all lists but that of the events tell everything, and no line breaks.
    """

    def __init__(self, provider: FakeProvider, seed: int, *, only_events: bool = False) -> None:
        super().__init__(provider)
        self._random = random.Random(seed)
        self._only_events = only_events
        self._shown: dict[str, set[str]] = {}
        self._hidden: set[str] = set()
        self._is_telling_all = False

    def anew(self) -> LateSource:
        """Begin another sync: other rows are late, and one time in four the line will break."""
        self._hidden = set()
        for path, kind in PATHS.items():
            if path == "events" or not (self._only_events or path in NEVER_LATE):
                self._hidden |= self._late(path, kind)
        breaks = self._random.random() < 0.25 and not self._only_events
        self.broken_after = self.requests + self._random.randrange(1, 30) if breaks else None
        return self

    def tells_all(self) -> None:
        """From now on nothing is late and nothing breaks."""
        self._hidden, self.broken_after = set(), None

    def page(self, path: str, parameters: Mapping[str, Any]) -> Page:
        page = super().page(path, {**parameters, "limit": 10_000})
        found = [raw for raw in page.objects if raw["id"] not in self._hidden]
        if path == "events" and found:
            found.insert(self._random.randrange(len(found)), self._random.choice(found))
        cut = min(int(parameters["limit"]), self._random.randrange(2, 9))
        return Page(found[:cut], len(found) > cut)

    def _late(self, path: str, kind: str) -> set[str]:
        """Return which rows a list does not show yet; none older than every sync looks back."""
        there = {raw["id"]: raw["created"] for raw in self.provider.objects.get(kind, {}).values()}
        shown = self._shown.setdefault(path, set())
        fresh = [one for one in there if one not in shown]
        late = {one for one in fresh if self._random.random() < 0.4}
        newest = max((made for one, made in there.items() if one not in late), default=0)
        late = {one for one in late if there[one] >= newest - LATE_S}
        shown |= there.keys() - late
        return late
