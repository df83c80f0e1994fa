"""Links that mails brought: who buys what a link led to comes by it, and the checkout says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kpay.sandbox.clock import WorldClock
from kpay.sandbox.happenings import MembershipStarted, Sale
from kpay.sandbox.mail import DECAY

ACCEPTED: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""What Stripe takes as client_reference_id; it drops anything else without a word."""


class FollowedLinks:
    """The newest reference that a mail brought each person for each piece."""

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self._kept: dict[tuple[int, str], tuple[int, str]] = {}

    def keep(self, person: int, day: int, references: Mapping[str, str]) -> None:
        """Remember the references of a letter, by piece."""
        for slug, reference in references.items():
            if ACCEPTED.fullmatch(reference):
                self._kept[person, slug] = day, reference

    def reference_of(self, checkout: Sale | MembershipStarted) -> str | None:
        """Return by which link somebody came to a checkout, as long as the mail still pulls."""
        kept = self._kept.get((checkout.buyer.person, checkout.slug))
        if kept is None or self._clock.day(checkout.at) - kept[0] >= len(DECAY):
            return None
        return kept[1]
