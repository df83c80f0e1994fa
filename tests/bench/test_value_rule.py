"""The value rule against its rivals, a simulated year and the half year after it (see mail_year.py).

Expected revenue above mailing nobody; 20 seeds that the rule was not tuned on, luck shared by all.
`KPAY_BENCH_SEEDS=2 make bench` runs fewer.
"""

from __future__ import annotations

import os
import statistics

from tests.fakes.mail_policies import POLICIES
from tests.fakes.mail_year import WORLDS, Outcome, compare

SEEDS = int(os.environ.get("KPAY_BENCH_SEEDS", "20"))
RULE, NOT_OWNED = "value rule", "who does not own it"
LEAST_OF_NOT_OWNED = {"mild": 0.99, "middle": 0.99, "harsh": 1.05, "varied": 0.0}


def total(outcomes: list[Outcome]) -> float:
    return sum(outcome.whole for outcome in outcomes)


def test_the_value_rule_beats_its_rivals() -> None:
    found = compare(WORLDS, range(1, SEEDS + 1), POLICIES)
    print()
    for world, policies in found.items():
        for name, outcomes in policies.items():
            if name == "nobody":
                continue
            year = statistics.mean(outcome.year for outcome in outcomes)
            whole = statistics.mean(outcome.whole for outcome in outcomes)
            left = sum(one.left for one in outcomes) / sum(one.mails for one in outcomes)
            of_not_owned = total(outcomes) / total(policies[NOT_OWNED])
            print(
                f"  {world:<7} {name:<23} year {year:>7,.0f}  with the half year {whole:>7,.0f}"
                f"  opt-outs a mail {100 * left:.2f} %  of '{NOT_OWNED}' {of_not_owned:.3f}"
            )
        over = [
            rule.whole - everyone.whole
            for rule, everyone in zip(policies[RULE], policies["everyone"], strict=True)
        ]
        won = sum(difference > 0 for difference in over)
        print(f"  {world:<7} rule minus everyone {statistics.mean(over):,.0f}, won {won}/{SEEDS}")
    for world, policies in found.items():
        rule = total(policies[RULE])
        assert rule > total(policies["everyone"]), world
        assert rule > total(policies["top 20 % by propensity"]), world
        assert rule >= LEAST_OF_NOT_OWNED[world] * total(policies[NOT_OWNED]), world
