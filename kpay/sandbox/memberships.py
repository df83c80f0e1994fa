"""The life of memberships: trials, renewals, declined cards, notice, leaving, changes of plan."""

from __future__ import annotations

from dataclasses import dataclass

from kpay.sandbox.catalogue import Catalogue, Offer
from kpay.sandbox.chance import Chance
from kpay.sandbox.clock import DAY_S, WorldClock, period_end
from kpay.sandbox.happenings import (
    Happening,
    MembershipBilled,
    MembershipEnded,
    MembershipRecovered,
    NoticeGiven,
)
from kpay.sandbox.parameters import Parameters


@dataclass(slots=True)
class Membership:
    """One running membership; the period counts from `anchor_s`."""

    key: str
    person: int
    slug: str
    offer: Offer
    anchor_s: int
    periods: int
    period_start_s: int
    period_end_s: int
    payments: int


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The yearly way to have what a member pays for by the month."""

    slug: str
    offer: Offer


@dataclass(frozen=True, slots=True)
class Due:
    """Something a membership has to do at a time: bill, retry, notice, leave or give_up."""

    at: int
    action: str
    membership: str


def start(
    key: str, person: int, slug: str, offer: Offer, *, at: int, trial_days: int
) -> Membership:
    """Begin a membership with its first period or its trial."""
    first_end = at + trial_days * DAY_S if trial_days else _end(offer, at, 1)
    anchor = first_end if trial_days else at
    periods = 0 if trial_days else 1
    return Membership(
        key, person, slug, offer, anchor, periods, at, first_end, 0 if trial_days else 1
    )


def yearly_way(catalogue: Catalogue, member: Membership) -> Upgrade | None:
    """Return the yearly offer of a member's own piece, or of a membership on the same topics."""
    position = catalogue.position(member.slug)
    if position is None:
        return None
    own = catalogue.items[position]
    akin = [
        own,
        *(item for item in catalogue.items if (item.kind, item.tags) == (own.kind, own.tags)),
    ]
    for item in akin:
        for offer in item.offers:
            if offer.interval == "year" and offer.currency == member.offer.currency:
                return Upgrade(item.slug, offer)
    return None


def _end(offer: Offer, anchor_s: int, periods: int) -> int:
    return period_end(anchor_s, offer.interval or "month", periods * offer.interval_count)


class Stewardship:
    """Decides what members do; its luck is keyed by person and day."""

    def __init__(self, luck: Chance, parameters: Parameters, clock: WorldClock) -> None:
        self._luck = luck
        self._parameters = parameters
        self._clock = clock

    def plan(self, member: Membership, decided_at_s: int) -> list[Due]:
        """Decide at the start of a period how it will end; nothing more happens on the same day."""
        tomorrow_s = (decided_at_s // DAY_S + 1) * DAY_S
        ends_at = max(member.period_end_s, tomorrow_s)
        if self._draw("stay", member, member.period_start_s) < self._stay_share(member):
            return [Due(ends_at, "bill", member.key)]
        length = member.period_end_s - member.period_start_s
        share = 0.1 + 0.8 * self._draw("leave when", member, member.period_start_s)
        leaves_at = max(member.period_start_s + int(length * share), tomorrow_s)
        gives_notice = self._draw("notice", member, member.period_start_s)
        if gives_notice < self._parameters.notice_share and leaves_at < ends_at:
            return [Due(leaves_at, "notice", member.key), Due(ends_at, "leave", member.key)]
        return [Due(leaves_at, "leave", member.key)]

    def _stay_share(self, member: Membership) -> float:
        if member.payments == 0:
            return self._parameters.trial_kept_share
        if member.offer.interval == "year":
            return self._parameters.yearly_renewal_share
        is_first = member.payments == 1
        return (
            self._parameters.first_renewal_share
            if is_first
            else self._parameters.later_renewal_share
        )

    def act(
        self, due: Due, member: Membership, upgrade: Upgrade | None
    ) -> tuple[Happening, list[Due], bool]:
        """Do what is due; return what happened, what comes next and whether it is over."""
        match due.action:
            case "bill":
                return self._bill(due, member, upgrade)
            case "retry":
                return self._recover(due, member)
            case "notice":
                return NoticeGiven(due.at, member.key), [], False
            case _:
                failed = due.action == "give_up"
                return MembershipEnded(due.at, member.key, failed), [], True

    def _bill(
        self, due: Due, member: Membership, upgrade: Upgrade | None
    ) -> tuple[Happening, list[Due], bool]:
        self._change_plan(due, member, upgrade)
        member.periods += 1
        member.period_start_s = due.at
        member.period_end_s = _end(member.offer, member.anchor_s, member.periods)
        is_paid = self._draw("declined", member, due.at) >= self._parameters.renewal_fails_share
        order = f"{member.key}-{self._clock.day(due.at)}"
        billed = MembershipBilled(
            due.at, member.key, order, member.person, member.offer, member.period_end_s, is_paid
        )
        if is_paid:
            member.payments += 1
            return billed, self.plan(member, due.at), False
        return billed, [self._after_decline(due, member)], False

    def _after_decline(self, due: Due, member: Membership) -> Due:
        if self._draw("recovered", member, due.at) < self._parameters.recovered_share:
            wait_days = 1 + int(6 * self._draw("retry when", member, due.at))
            return Due(due.at + wait_days * DAY_S, "retry", member.key)
        return Due(due.at + 14 * DAY_S, "give_up", member.key)

    def _recover(self, due: Due, member: Membership) -> tuple[Happening, list[Due], bool]:
        member.payments += 1
        order = f"{member.key}-{self._clock.day(member.period_start_s)}"
        recovered = MembershipRecovered(due.at, member.key, order, member.person, member.offer)
        return recovered, self.plan(member, due.at), False

    def _change_plan(self, due: Due, member: Membership, upgrade: Upgrade | None) -> None:
        """Move a paying monthly member to the yearly price, now and then."""
        if upgrade is None or member.offer.interval != "month" or member.payments == 0:
            return
        if self._draw("upgrade", member, due.at) < self._parameters.upgrade_share:
            member.slug, member.offer = upgrade.slug, upgrade.offer
            member.anchor_s, member.periods = due.at, 0

    def _draw(self, purpose: str, member: Membership, at: int) -> float:
        return self._luck.one(f"member {purpose}", self._clock.day(at), member.person)
