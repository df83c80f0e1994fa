"""What a forecast of revenue takes for granted, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from kpay.ml.streams import joint, survival
from kpay.ml.streams.members import NEVER

if TYPE_CHECKING:
    from kpay.services.forecasting.revenue import Foreseen

FEWEST_DAYS: Final = 28


def assumptions(found: Foreseen) -> tuple[str, ...]:
    """Return one sentence for each thing that carries the forecast."""
    names = {part.name for part in found.streams.parts.parts}
    said = [
        "What is taken after refunds, before fees and disputes; tax is inside.",
        _currencies(found),
        _renewals(found) if joint.RENEWALS in names else "",
        _starts(found) if joint.STARTS in names else "",
        *_launches(found),
        _refunds(found) if joint.REFUNDS in names else "",
    ]
    return tuple(sentence for sentence in said if sentence)


def warnings(found: Foreseen) -> tuple[str, ...]:
    """Return what makes the forecast doubtful."""
    said = []
    days = found.ledger.days
    if days < FEWEST_DAYS:
        said.append(
            f"Only {'1 day is' if days == 1 else f'{days} days are'} known: what is planned, "
            "known renewals and the mean so far, in a wide range."
        )
    if found.known.apart:
        codes = ", ".join(code.upper() for code in found.known.apart)
        said.append(
            f"Sales in {codes} are not in it: no rate into {found.currency.upper()} is known."
        )
    return tuple(said)


def _currencies(found: Foreseen) -> str:
    if not found.known.converted:
        return ""
    codes = ", ".join(code.upper() for code in found.known.converted)
    return f"{codes} count at the rate of {found.seen_from.day}."


def _renewals(found: Foreseen) -> str:
    members, experience = found.ledger.members, found.streams.learned.experience
    active = members.only((members.ended == NEVER) & (members.noticed == NEVER))
    usual = experience.usual[..., 0]
    kinds = np.unique(survival.kinds(active)).tolist()
    chances = "; ".join(
        f"by the {survival.KINDS[kind]} {usual[kind, survival.FIRST]:.0%} the first time, "
        f"{usual[kind, survival.LATER]:.0%} later"
        for kind in kinds
    )
    leaving = int(((members.noticed < NEVER) & (members.ended == NEVER)).sum())
    ending = f"; {leaving} that asked to leave pay no more" if leaving else ""
    count = len(active.began)
    going_on = "1 subscription goes" if count == 1 else f"{count} subscriptions go"
    return f"{going_on} on. They renew {chances}{ending}."


def _starts(found: Foreseen) -> str:
    learned = found.streams.learned
    count = sum(plan.starts for plan in learned.plans)
    return (
        f"New subscriptions come as in the last {learned.counted_days} usual days: "
        f"{count} in all, {count / learned.counted_days:.2f} a day."
    )


def _launches(found: Foreseen) -> list[str]:
    if found.plan is None:
        offered = (
            f" {found.scheduled} scheduled in the content would come in with --plan scheduled."
            if found.scheduled
            else ""
        )
        return [f"No launch and no campaign is assumed.{offered}"]
    ahead = range(found.ledger.days, found.ledger.days + found.asked.horizon_days)
    inside = [one for one in found.plan if one.occasion.day in ahead]
    left_out = len(found.plan) - len(inside)
    said = [f"{_counted(len(inside), 'launch or campaign', 'launches and campaigns')} planned."]
    if left_out:
        dates = "1 date of the plan lies" if left_out == 1 else f"{left_out} dates of the plan lie"
        said.append(f"{dates} outside the days ahead.")
    sizes = found.streams.learned.sizes
    for kind in sorted({one.occasion.kind for one in inside if one.factors is None}):
        size = sizes[kind]
        known = (
            f"{size.learned_from} past ones" if size.learned_from else "no past one: a usual guess"
        )
        said.append(f"A {kind} brings {size.mean:.1f} usual days on top ({known}).")
    return said


def _refunds(found: Foreseen) -> str:
    rate = found.streams.learned.rate
    return f"{rate.by_age.sum():.1%} of sales come back within a year, as so far."


def _counted(count: int, one: str, many: str) -> str:
    return f"1 {one} is" if count == 1 else f"{count} {many} are"
