"""Renewals, refunds and single pieces on simulated businesses, beside simple rates and the truth.

Worlds in which interests show only in the texts of pieces tell whether reading them is worth anything,
and worlds in which the texts say nothing whether it does harm.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from kpay.ml import targets
from kpay.ml.families import FAMILIES
from kpay.ml.families.text import TEXT
from kpay.ml.history import History
from kpay.sandbox.parameters import Parameters
from tests.bench import ceilings, renewal_truth, rivals
from tests.bench.kpay_models import promised
from tests.bench.sandbox_worlds import CALM, CUTOFF_DAY, HORIZON_DAYS, LivedWorld, Plan

MOST_WORLDS = int(os.environ.get("KPAY_BENCH_SEEDS", "4"))
MEMBERS = Plan(customers=3000, memberships=2, parameters=replace(CALM, upgrade_share=0.0))
# People alike but for their interests, pieces whose topics kpay is not told, and a shelf that turns.
ALIKE = replace(
    Parameters(),
    taste_spread=1.6,
    strata_shares=(0.0, 1.0, 0.0, 0.0),
    orders_a_year=(30.0,) * 4,
    rate_shape=4.0,
    outside_option=10.0,
    leave_b=60.0,
    eur_share=0.0,
    fraud_bursts_a_year=0.0,
)
TELLING = Plan(
    customers=600,
    parameters=ALIKE,
    tells_tags=False,
    sees_visits=False,
    mails=False,
    memberships=0,
    turns_every_days=120,
)
TEXT_WORLDS = 10
SILENT = replace(TELLING, tells_texts=False)


def labelled(world: LivedWorld, target: targets.Target) -> tuple[History, np.ndarray, np.ndarray]:
    """Return what is known at the cutoff, who is asked about, and what came."""
    known = world.history(CUTOFF_DAY)
    all_told = world.history(CUTOFF_DAY + HORIZON_DAYS)
    ids = all_told.purchases.customer_ids
    came = target.happened(all_told, -HORIZON_DAYS, HORIZON_DAYS)
    asked = target.eligible(all_told.before(-HORIZON_DAYS), -HORIZON_DAYS)
    is_known = np.isin(ids, known.purchases.customer_ids) & asked
    return known, ids[is_known], came[is_known].astype(float)


def past_rate(known: History, target: targets.Target) -> float:
    """Return the share of the last whole window."""
    past = known.before(-HORIZON_DAYS)
    asked = target.eligible(past, -HORIZON_DAYS)
    return float(target.happened(known, -HORIZON_DAYS, HORIZON_DAYS)[asked].mean())


def shown(title: str, found: dict[str, list[rivals.Judged]]) -> dict[str, rivals.Judged]:
    means = {
        name: rivals.Judged(
            float(np.mean([row.auc for row in rows])),
            float(np.mean([row.log_loss for row in rows])),
            float(np.mean([row.ece for row in rows])),
        )
        for name, rows in found.items()
    }
    print(f"\n{title}")
    for name, mean in means.items():
        print(f"  {name:<26}{mean.auc:.4f}   {mean.log_loss:.4f}   {mean.ece:.3f}")
    return means


def test_renewals_come_near_the_true_hazards() -> None:
    target = targets.parse("renewal")
    found: dict[str, list[rivals.Judged]] = {"one rate for all": [], "kpay": [], "true hazards": []}
    rungs, members = [], 0
    for seed in range(1, 1 + MOST_WORLDS):
        known, asked, stayed = labelled(LivedWorld(seed, MEMBERS), target)
        ours = promised(known, HORIZON_DAYS, target=target)
        rungs.append(ours.training.model.rung)
        rows, chance = renewal_truth.stays(known.spans, MEMBERS.parameters, HORIZON_DAYS)
        customers = known.purchases.customer_ids[known.spans.customer[rows]]
        gone = np.ones(int(customers.max()) + 1)
        np.multiply.at(gone, customers, 1 - chance)
        truth = 1 - gone[asked]
        rate = np.full(len(asked), past_rate(known, target))
        members += len(asked)
        for name, promise in (
            ("one rate for all", rate),
            ("kpay", ours.chance.reindex(asked).to_numpy(float)),
            ("true hazards", truth),
        ):
            found[name].append(rivals.judge(stayed, promise))
    means = shown(f"renewal, {members} members of {MOST_WORLDS} worlds, rungs {rungs}", found)
    assert means["kpay"].log_loss <= means["one rate for all"].log_loss
    assert means["kpay"].log_loss <= means["true hazards"].log_loss + 0.03
    assert means["kpay"].auc >= means["true hazards"].auc - 0.05


def test_refunds_are_never_promised_worse_than_by_their_rate() -> None:
    target = targets.parse("refund")
    found: dict[str, list[rivals.Judged]] = {"one rate for all": [], "kpay": []}
    rungs = []
    for seed in range(1, 1 + MOST_WORLDS):
        known, asked, came = labelled(LivedWorld(seed, MEMBERS), target)
        ours = promised(known, HORIZON_DAYS, target=target)
        rungs.append(ours.training.model.rung)
        rate = np.full(len(asked), past_rate(known, target))
        found["one rate for all"].append(rivals.judge(came, rate))
        found["kpay"].append(rivals.judge(came, ours.chance.reindex(asked).to_numpy(float)))
    means = shown(f"refund, {MOST_WORLDS} worlds, rungs {rungs}", found)
    assert means["kpay"].log_loss <= means["one rate for all"].log_loss + 0.003


def reading_texts(plan: Plan, title: str) -> float:
    """Return how much AUC the columns about texts add, to a model that has seen other worlds of the kind."""
    families = tuple(family for family in FAMILIES if family.name != TEXT.name)
    without = ceilings.fitted(plan, TEXT_WORLDS, families)
    reading = ceilings.fitted(plan, TEXT_WORLDS)
    found: dict[str, list[rivals.Judged]] = {"without text": [], "with text": [], "oracle": []}
    for seed in range(1, 1 + MOST_WORLDS):
        world = LivedWorld(seed, plan)
        known = world.history(CUTOFF_DAY)
        customers = known.purchases.customer_ids
        bought = world.bought(customers, CUTOFF_DAY, HORIZON_DAYS)
        for name, chance in (
            ("without text", without.promised(known)),
            ("with text", reading.promised(known)),
            ("oracle", world.oracle(customers, CUTOFF_DAY, HORIZON_DAYS)),
        ):
            found[name].append(rivals.judge(bought, chance))
    means = shown(f"{title}: {TEXT_WORLDS} other worlds, judged in {MOST_WORLDS}", found)
    return means["with text"].auc - means["without text"].auc


def test_texts_help_where_interests_show_in_nothing_else() -> None:
    assert reading_texts(TELLING, "texts tell the topics") >= 0.003


def test_texts_that_say_nothing_do_no_harm() -> None:
    assert reading_texts(SILENT, "texts tell nothing") >= -0.003
