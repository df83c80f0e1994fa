"""Who is worth one more mail: the price of attention, learned from this business's own records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from kpay.domain.money import format_minor
from kpay.domain.person import Person
from kpay.ml import attention, relevance
from kpay.ml.attention import Balance, OptOuts, Outlook
from kpay.ml.frames import Floats
from kpay.ml.relevance import Relevance
from kpay.services.attention_past import Past
from kpay.services.attention_replay import Replay
from kpay.store import person_facts

USUAL_DAYS_BETWEEN: Final = 14.0
USUAL_HORIZON_DAYS: Final = 90
SAMPLE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Worth:
    """What the value rule found for one campaign.

    The sums are estimates in `currency`, None where nobody is scored: what the mail is expected to earn
    after its price from those it is worth, and what it would have cost, after what it would have
    earned, with those in `low_value`. `opt_outs` are those of a usual mail with a 95 % interval. `price`
    is what this mail costs a reader on average, as a share of what a usual fresh mail earns from them.
    """

    low_value: frozenset[str]
    expected_net_minor: int | None
    loss_avoided_minor: int | None
    currency: str | None
    unscored: int
    opt_outs: tuple[float, float, float]
    mails_seen: int
    opt_outs_seen: int
    is_mostly_prior: bool
    clicks_seen: int
    mails_to_come: float
    price: float
    days_between: float
    is_rhythm_known: bool

    @property
    def sentence(self) -> str:
        """Say what was decided, on what ground, and what it may be worth."""
        rate, low, high = (f"{100 * share:.2f}" for share in self.opt_outs)
        ground = f"{self.opt_outs_seen:,} of {self.mails_seen:,} mails made somebody leave"
        if self.is_mostly_prior:
            ground += ", too few to say much, so published rates still weigh in"
        rhythm = "" if self.is_rhythm_known else " (assumed: there are too few campaigns to tell)"
        return (
            f"{self._decision()} A usual mail makes {rate} % leave ({low} to {high} %; {ground}), and who leaves "
            f"misses what {self.mails_to_come:.0f} usual mails would earn, at one every "
            f"{self.days_between:.0f} days{rhythm}. {self._sums()}"
        )

    def _decision(self) -> str:
        if not self.low_value:
            return "Nobody is left out: to everyone here the mail is worth more than it may cost."
        who = "1 person is" if len(self.low_value) == 1 else f"{len(self.low_value):,} people are"
        return f"{who} left out because one more mail may cost more than it earns."

    def _sums(self) -> str:
        if self.expected_net_minor is None or self.currency is None:
            return (
                "Nobody is scored, so relevance alone decides and no sum can be given (kpay score)."
            )
        earned = format_minor(self.expected_net_minor, self.currency)
        avoided = format_minor(self.loss_avoided_minor or 0, self.currency)
        saved = (
            f", and not sending to the others avoids a loss of {avoided}" if self.low_value else ""
        )
        rest = (
            f"; {self.unscored:,} people without a score count as nothing" if self.unscored else ""
        )
        return f"Estimated, not measured: the mail is worth {earned} after its price{saved}{rest}."

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain values for a plan; the addresses are the plan's own matter."""
        rate, low, high = self.opt_outs
        return {
            "low_value": len(self.low_value),
            "expected_net_minor": self.expected_net_minor,
            "loss_avoided_minor": self.loss_avoided_minor,
            "currency": self.currency,
            "is_estimate": True,
            "unscored": self.unscored,
            "opt_outs_a_mail": {
                "estimate": round(rate, 6),
                "interval": [round(low, 6), round(high, 6)],
                "mails": self.mails_seen,
                "left": self.opt_outs_seen,
                "mostly_prior": self.is_mostly_prior,
            },
            "clicks_seen": self.clicks_seen,
            "mails_to_come": round(self.mails_to_come, 1),
            "price": round(self.price, 4),
            "days_between": round(self.days_between, 1),
            "sentence": self.sentence,
        }


def worth(
    connection: Connection, chosen: Sequence[Person], about: Sequence[str], now: datetime
) -> Worth:
    """Weigh one more mail about some pieces (none: in general) to each of the chosen people.

    Without scores the rule goes by relevance alone, which is what it comes to anyway: a person's own
    gain stands on both sides. With few opt-outs the published rates lead; both are said.
    """
    past = Past.read(connection, [person.email for person in chosen], now)
    model, opt_outs = _lessons(past)
    rhythm = past.days_between()
    judge = _Judge(past, model, opt_outs, about, rhythm or USUAL_DAYS_BETWEEN)
    balances = list(judge.balances(chosen))
    sums = _Sums(person_facts.scored_horizon_days(connection, now) or USUAL_HORIZON_DAYS)
    low_value: set[str] = set()
    for people, balance in balances:
        low_value.update(
            person.email
            for person, is_worth in zip(people, balance.is_worth.tolist(), strict=True)
            if not is_worth
        )
        sums.add(people, balance)
    to_come = [balance.to_come for _, balance in balances]
    prices = [balance.price for _, balance in balances]
    return Worth(
        low_value=frozenset(low_value),
        expected_net_minor=round(sums.earned_minor) if sums.scored else None,
        loss_avoided_minor=round(sums.avoided_minor) if sums.scored else None,
        currency=next((person.currency for person in chosen if person.currency), None),
        unscored=len(chosen) - sums.scored,
        opt_outs=opt_outs.per_mail,
        mails_seen=opt_outs.mails,
        opt_outs_seen=opt_outs.left,
        is_mostly_prior=opt_outs.is_mostly_prior,
        clicks_seen=model.clicks,
        mails_to_come=float(np.concatenate(to_come).mean()) if to_come else 0.0,
        price=float(np.concatenate(prices).mean()) if prices else 0.0,
        days_between=judge.days_between,
        is_rhythm_known=rhythm is not None,
    )


def _lessons(past: Past) -> tuple[Relevance, OptOuts]:
    """Learn from past mails; what was about something owned teaches nothing of relevance."""
    lessons = Replay(past).lessons()
    is_news = ~lessons.is_owned
    model = relevance.learn(lessons.traits[is_news], lessons.clicked[is_news])
    judged = np.where(is_news, model.of(lessons.traits), 0.0)
    return model, attention.learn_opt_outs(lessons.pressure, judged, lessons.left)


class _Judge:
    """Weighs one campaign for people, as many at a time as one table holds."""

    def __init__(
        self,
        past: Past,
        model: Relevance,
        opt_outs: OptOuts,
        about: Sequence[str],
        days_between: float,
    ) -> None:
        self._past = past
        self._model = model
        self._opt_outs = opt_outs
        self._about = [past.slugs[slug] for slug in about if slug in past.slugs]
        self._pieces = past.totals()
        self._pressures = past.pressures()
        self.days_between = days_between

    def balances(self, chosen: Sequence[Person]) -> Iterator[tuple[Sequence[Person], Balance]]:
        """Yield some of the people with what speaks for and against mailing each of them."""
        at_once = self._past.people_at_once
        outlook = self._outlook(chosen[:: max(1, len(chosen) // SAMPLE)][:at_once])
        for first in range(0, len(chosen), at_once):
            people = chosen[first : first + at_once]
            yield people, self._balance(people, outlook)

    def _outlook(self, sample: Sequence[Person]) -> Outlook:
        relevances = self._relevances(sample)
        usual = self._usual(relevances)[:, None]
        to_come = relevances[:, self._past.is_sellable] / np.maximum(usual, relevance.LEAST)
        return attention.look_ahead(self._opt_outs, to_come, self.days_between)

    def _balance(self, people: Sequence[Person], outlook: Outlook) -> Balance:
        relevances = self._relevances(people)
        usual = self._usual(relevances)
        of_mail = relevances[:, self._about].mean(axis=1) if self._about else usual
        numbers = [self._past.person_of[person.email] for person in people]
        return attention.weigh(
            self._opt_outs,
            outlook,
            pressure=self._pressures[numbers],
            relevance=of_mail,
            usual=usual,
        )

    def _relevances(self, people: Sequence[Person]) -> Floats:
        """Return the relevance of every piece to each person, 0 where they have it."""
        known = self._past.known([person.email for person in people])
        for row, person in enumerate(people):
            places = [self._past.slugs[slug] for slug in person.owned if slug in self._past.slugs]
            known.bought[row, places] = 1.0
        return np.where(known.bought > 0, 0.0, self._model.of(self._pieces.traits(known)))

    def _usual(self, relevances: Floats) -> Floats:
        """Return the mean relevance of what each person has not got and can buy; 1 without any."""
        may_come = (relevances > 0) & self._past.is_sellable
        count = may_come.sum(axis=1)
        total = np.where(may_come, relevances, 0.0).sum(axis=1)
        return np.asarray(np.where(count > 0, total / np.maximum(count, 1), 1.0))


class _Sums:
    """Adds up what mailing and not mailing is expected to earn, over those with a score."""

    def __init__(self, horizon_days: int) -> None:
        self._horizon_days = horizon_days
        self.earned_minor = 0.0
        self.avoided_minor = 0.0
        self.scored = 0

    def add(self, people: Sequence[Person], balance: Balance) -> None:
        """Count some people."""
        expected = [person.expected_value_minor for person in people]
        values = np.array([value or 0 for value in expected], dtype=float)
        net = attention.mail_value_minor(values, self._horizon_days) * balance.net
        self.earned_minor += float(net[balance.is_worth].sum())
        self.avoided_minor -= float(net[~balance.is_worth].sum())
        self.scored += sum(value is not None for value in expected)
