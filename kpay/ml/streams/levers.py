"""What-if on streams: the same futures with some of their causes changed, path by path.

Each path keeps its luck, so that the change's range is that of differences and not a difference of
ranges. What is sold anew (single sales, launches, new subscriptions) follows reach, rates and price;
renewals follow the chance to leave. Refunds follow what is sold by their rate at each age.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kpay.ml.arrays import Floats
from kpay.ml.streams import joint, launches, starts
from kpay.ml.streams.joint import Streams
from kpay.ml.streams.launches import Planned
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.parts import Part, Parts
from kpay.ml.streams.renewals import renewals
from kpay.ml.streams.returns import OLDEST_DAYS
from kpay.ml.streams.survival import PRIOR, Experience

SOLD_ANEW: Final = (joint.SINGLE, joint.STARTS, joint.LAUNCHES)
RECENT_DAYS: Final = 90
LEAST_CHANCE: Final = 1e-6
LARGEST_ELASTICITY: Final = 4.0


@dataclass(frozen=True, slots=True)
class Moves:
    """What is changed: factors on what is sold anew, a share on the chance to leave, launches added.

    `price_share` is a change of price, answered by `elasticities`, one a path.
    """

    volume_factor: float = 1.0
    price_share: float = 0.0
    churn_share: float = 0.0
    added: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class Levers:
    """A business whose futures can be asked what would change them."""

    streams: Streams
    ledger: Ledger
    elasticities: Floats
    seed: int

    @property
    def has_streams(self) -> bool:
        """Whether the parts are known; a forecast that fell back to the whole has none."""
        return self.streams.parts.named(joint.EVERYTHING) is None

    def moved(self, moves: Moves) -> Parts:
        """Return the same paths with the causes changed."""
        before = self.streams.parts
        after = self._with_launches(before, moves.added)
        after = self._with_churn(after, moves.churn_share)
        factor = moves.volume_factor * price_factors(moves.price_share, self.elasticities)
        after = self._with_sales(after, factor)
        return self._with_refunds(before, after)

    def _with_launches(self, parts: Parts, added: Sequence[Planned]) -> Parts:
        if not added:
            return parts
        horizon, level = len(parts.mean), float(self.streams.single.mean.mean())
        ahead = range(self.ledger.days, self.ledger.days + horizon)
        sizes = self.streams.learned.sizes
        mean = launches.planned(added, sizes, level, ahead)[0]
        draws = launches.planned(
            added, sizes, level, ahead,
            draws=len(parts.draws), generator=np.random.default_rng([self.seed, 9]),
        )  # fmt: skip
        known = parts.named(joint.LAUNCHES)
        if known is not None:
            mean, draws = known.mean + mean, known.draws + draws
        return parts.with_part(Part(joint.LAUNCHES, mean, draws))

    def _with_churn(self, parts: Parts, share: float) -> Parts:
        if not share:
            return parts
        for name, ratio in churn_ratios(self.streams, self.ledger, share).items():
            known = parts.named(name)
            if known is not None:
                parts = parts.with_part(known.scaled(ratio))
        return parts

    def _with_sales(self, parts: Parts, factor: Floats) -> Parts:
        whole = parts.named(joint.EVERYTHING)
        if whole is not None:
            share = sold_anew_share(self.ledger)
            return parts.with_part(whole.scaled((1 + share * (factor - 1))[:, None]))
        for name in SOLD_ANEW:
            known = parts.named(name)
            if known is not None:
                parts = parts.with_part(
                    known.scaled(np.broadcast_to(factor[:, None], known.draws.shape))
                )
        return parts

    def _with_refunds(self, before: Parts, after: Parts) -> Parts:
        if before.named(joint.EVERYTHING) is not None or not self.streams.learned.rate.refunds:
            return after
        mean = _sold(after).mean - _sold(before).mean
        draws = _sold(after).draws - _sold(before).draws
        by_age = self.streams.learned.rate.by_age
        known = before.named(joint.REFUNDS) or Part(joint.REFUNDS, 0 * mean, 0 * draws)
        return after.with_part(
            Part(
                joint.REFUNDS,
                known.mean - given_back(mean[None, :], by_age)[0],
                known.draws - given_back(draws, by_age),
            )
        )


def price_factors(share: float, elasticities: Floats) -> Floats:
    """Return by what a change of price multiplies revenue: (1 + share) ^ (1 + elasticity), one a path."""
    return np.asarray((1.0 + share) ** (1.0 + elasticities))


def drawn_elasticities(mean: float, deviation: float, draws: int, seed: int) -> Floats:
    """Return elasticities that agree with what is known; more is never sold because it costs more."""
    luck = np.random.default_rng([seed, 8])
    found = mean + deviation * luck.standard_normal(draws)
    return np.clip(found, -LARGEST_ELASTICITY, 0.0)


def churn_ratios(streams: Streams, ledger: Ledger, share: float) -> dict[str, Floats]:
    """Return by what each day of renewals and new subscriptions is multiplied when fewer, or more, leave."""
    learned, horizon = streams.learned, len(streams.parts.mean)
    ahead = range(ledger.days, ledger.days + horizon)

    def expected(experience: Experience) -> dict[str, Floats]:
        return {
            joint.RENEWALS: renewals(ledger.members, experience, ledger.first_day, ahead)[0],
            joint.STARTS: starts.new_subscriptions(
                learned.plans, learned.counted_days, experience, horizon
            )[0],
        }

    usual, moved = expected(learned.experience), expected(with_churn(learned.experience, share))
    return {
        name: np.where(
            usual[name] > 0, moved[name] / np.where(usual[name] > 0, usual[name], 1), 1.0
        )
        for name in usual
    }


def with_churn(experience: Experience, share: float) -> Experience:
    """Return the experience with every chance to leave at a renewal changed by a share."""
    worth = experience.counts + PRIOR
    total = worth.sum(axis=-1)
    leave = np.clip(worth[..., 1] / total * (1 + share), LEAST_CHANCE, 1 - LEAST_CHANCE)
    moved = np.stack([(1 - leave) * total, leave * total], axis=-1)
    return replace(experience, counts=moved - PRIOR)


def sold_anew_share(ledger: Ledger) -> float:
    """Return which share of the last 90 days' sales was not of a subscription."""
    single = float(ledger.single[-RECENT_DAYS:].sum())
    everything = float(ledger.sales[-RECENT_DAYS:].sum())
    return single / everything if everything > 0 else 1.0


def given_back(sold: Floats, by_age: Floats) -> Floats:
    """Return what is expected back, on each day, of sales of the same days ahead, (draws, days)."""
    back = np.zeros_like(sold)
    for age in range(min(sold.shape[1], OLDEST_DAYS)):
        if by_age[age] > 0:
            back[:, age:] += sold[:, : sold.shape[1] - age] * by_age[age]
    return back


def _sold(parts: Parts) -> Parts:
    return Parts(tuple(part for part in parts.parts if part.name != joint.REFUNDS))
