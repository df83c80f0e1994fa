"""The price of attention: whom one more mail is worth, given what it may cost.

Net value of a mail = propensity x value x response - chance to leave x value of the mails to come.
If a reader is worth what mail earns from that reader, both sides carry the same propensity, value
and response, and what is left is measured in relevance (1 = the usual mail to this person):

    relevance x freshness  >  chance to leave x mails to come  +  what the next mails lose

`freshness` is exp(-FATIGUE x pressure); pressure is the count of mails so far, each halved every
fortnight. Mails to come are worth what the rule itself will make of them: the best policy over
pressure, found backwards from the horizon (Bellman, "Dynamic Programming", 1957). What the next mails
lose is the difference between coming to them rested and coming to them mailed.

The chance to leave is a log-linear hazard, learned from the creator's own opt-outs with a prior from
published rates (.1 to .5 % a mail).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml import rates
from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.rates import Rate

HALF_LIFE_DAYS: Final = 14.0
FATIGUE: Final = 0.15  # of the response, a recent mail; published effects span .03 to .35
HORIZON_DAYS: Final = 364.0
WEEKLY_STAY: Final = 0.985  # readers lose interest without a word; half do in 46 weeks
RESPONSE: Final = 1 / 3  # of a fortnight's purchases, what a usual mail adds
RESPONSE_DAYS: Final = 14.0

# log opt-outs a mail; their change for one recent mail more; for a mail that concerns nobody
PRIOR: Final = np.array([np.log(0.0025), 0.2, 0.5])
PRIOR_DEVIATION: Final = np.array([0.7, 0.15, 0.4])
LARGEST_LOG_HAZARD: Final = 1.0
FEW_OPT_OUTS: Final = 10

PRESSURES: Final = np.arange(0.0, 8.01, 0.2)
RELEVANCE_STEPS: Final = 40


@dataclass(frozen=True, slots=True)
class OptOuts:
    """The learned hazard of leaving because of a mail.

    `per_mail` is the rate of the mails so far (before any: of one mail a fortnight), with the bounds of
    a 95 % interval.
    """

    rate: Rate
    per_mail: tuple[float, float, float]
    mails: int
    left: int

    def chance(self, pressure: Floats, relevance: Floats) -> Floats:
        """Return the probability to leave because of one mail."""
        logs = _columns(pressure, relevance) @ self.rate.weights
        return np.asarray(-np.expm1(-np.exp(np.minimum(logs, LARGEST_LOG_HAZARD))))

    @property
    def is_mostly_prior(self) -> bool:
        """Say whether too few have left for their number to say much."""
        return self.left < FEW_OPT_OUTS


def _columns(pressure: Floats, relevance: Floats) -> Floats:
    pressure, relevance = np.broadcast_arrays(pressure, relevance)
    boredom = np.maximum(0.0, 1.0 - relevance)
    return np.stack([np.ones_like(boredom), pressure, boredom], axis=-1)


def learn_opt_outs(pressure: Floats, relevance: Floats, left: Floats) -> OptOuts:
    """Learn from past mails: pressure before each, its relevance, 1 where it made somebody leave."""
    columns = _columns(pressure, relevance)
    found = rates.fit(columns, left, PRIOR, PRIOR_DEVIATION)
    per_mail = found.mean(columns if len(columns) else np.array([[1.0, 1.0, 0.0]]))
    return OptOuts(found, per_mail, len(left), int(left.sum()))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the mails to come are worth, in usual fresh mails, by the pressure before this one."""

    after_mail: Floats  # to a reader who gets this mail and stays
    after_rest: Floats  # to a reader who is left alone this time

    def mails_to_come(self, pressure: Floats) -> Floats:
        """Return what a reader has to lose."""
        return np.asarray(np.interp(pressure, PRESSURES, self.after_mail))

    def rest_gained(self, pressure: Floats) -> Floats:
        """Return what the next mails lose when this one is sent, beside the readers it costs."""
        rested = np.interp(pressure, PRESSURES, self.after_rest)
        return np.asarray(rested - np.interp(pressure, PRESSURES, self.after_mail))


def look_ahead(opt_outs: OptOuts, relevances: Floats, days_between: float) -> Outlook:
    """Value the mails to come when one goes out every `days_between` days.

    `relevances` are those of mails to come, any shape; only their distribution matters.
    """
    spread = (np.arange(RELEVANCE_STEPS) + 0.5) / RELEVANCE_STEPS
    likely = np.quantile(relevances, spread) if relevances.size else np.ones(1)
    gain = likely * np.exp(-FATIGUE * PRESSURES)[:, None]
    stays = 1.0 - opt_outs.chance(PRESSURES[:, None], likely)
    decay = 0.5 ** (days_between / HALF_LIFE_DAYS)
    discount = WEEKLY_STAY ** (days_between / 7.0)
    rested, mailed = PRESSURES * decay, (PRESSURES + 1.0) * decay
    value = np.zeros_like(PRESSURES)
    for _ in range(max(1, round(HORIZON_DAYS / days_between))):
        after_mail = discount * np.interp(mailed, PRESSURES, value)
        after_rest = discount * np.interp(rested, PRESSURES, value)
        value = np.maximum(gain + stays * after_mail[:, None], after_rest[:, None]).mean(axis=1)
    return Outlook(
        discount * np.interp(mailed, PRESSURES, value),
        discount * np.interp(rested, PRESSURES, value),
    )


@dataclass(frozen=True, slots=True)
class Balance:
    """Both sides of the rule for each person, in usual fresh mails to that person."""

    earned: Floats
    chance: Floats  # to leave because of this mail
    to_come: Floats
    price: Floats

    @property
    def net(self) -> Floats:
        """What the mail is worth after its price; a mail about what is owned earns nothing."""
        return np.asarray(self.earned - self.price)

    @property
    def is_worth(self) -> Flags:
        """Whom to mail."""
        return np.asarray((self.net > 0) & (self.earned > 0))


def weigh(
    opt_outs: OptOuts, outlook: Outlook, *, pressure: Floats, relevance: Floats, usual: Floats
) -> Balance:
    """Weigh one more mail to each person.

    `relevance` is that of the mail (0: they own what it is about), `usual` the mean relevance to the
    same person of the mails that may come.
    """
    own = relevance / np.maximum(usual, 1e-3)
    chance = opt_outs.chance(pressure, relevance)
    to_come = outlook.mails_to_come(pressure)
    price = chance * to_come + outlook.rest_gained(pressure)
    return Balance(own * np.exp(-FATIGUE * pressure), chance, to_come, price)


def mail_value_minor(expected_value_minor: Floats, horizon_days: float) -> Floats:
    """Return what a usual fresh mail earns: expected spend of a fortnight times the response.

    `expected_value_minor` is propensity x value over `horizon_days`, as `kpay score` keeps it.
    """
    return np.asarray(expected_value_minor * (RESPONSE_DAYS / horizon_days) * RESPONSE)


def pressures(ages_days: Floats, person: Ints, people: int) -> Floats:
    """Return everybody's pressure from the ages of the mails they got, `person` an index of each."""
    weights = 0.5 ** (np.maximum(ages_days, 0.0) / HALF_LIFE_DAYS)
    return np.bincount(person, weights, minlength=people).astype(float)
