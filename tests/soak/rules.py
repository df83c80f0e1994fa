"""For each pitfall, the piece of code that avoids it, and what a sync without that piece would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Rule:
    """A rule taken back: in a file, `text` becomes `instead`, and the test has to notice.

    `also` are more such changes, (file, text, instead), where guards stand one behind the other.
    """

    pitfall: int
    meaning: str
    file: str
    text: str
    instead: str
    test: str
    also: tuple[tuple[str, str, str], ...] = ()

    def edits(self) -> list[tuple[str, str, str]]:
        """Return every (file, text, instead)."""
        return [(self.file, self.text, self.instead), *self.also]


MONEY, PEOPLE = "tests/pitfalls/test_money.py", "tests/pitfalls/test_people.py"
RECURRING, CONTENT = "tests/pitfalls/test_recurring.py", "tests/pitfalls/test_content.py"
CHANGES, REREADS = "tests/pitfalls/test_changes.py", "tests/pitfalls/test_rereads.py"
FAULTS, REFUSALS = "tests/pitfalls/test_faults.py", "tests/pitfalls/test_refusals.py"

RULES: Final = (
    Rule(
        1,
        "three-decimal currencies shown with two",
        "kpay/domain/money.py",
        "return 3 if currency in THREE_DECIMAL else 2",
        "return 2",
        f"{MONEY}::test_pitfall_01_an_amount_is_shown_with_the_digits_of_its_currency",
    ),
    Rule(
        2,
        "the rate of a settlement forgotten",
        "kpay/domain/records_cash.py",
        "exchange_rate=None if rate is None else str(rate)",
        "exchange_rate=None",
        f"{MONEY}::test_pitfall_02_a_sale_in_euros_that_settles_in_dollars_keeps_both_figures",
    ),
    Rule(
        3,
        "refunds on their way not counted",
        "kpay/domain/enums.py",
        'COUNTED_REFUNDS: Final = ("succeeded", "pending")',
        'COUNTED_REFUNDS: Final = ("succeeded",)',
        f"{MONEY}::test_pitfall_03_two_partial_refunds_are_added_up_and_the_fee_stays_with_stripe",
    ),
    Rule(
        4,
        "failed refunds counted like others",
        "kpay/domain/enums.py",
        'COUNTED_REFUNDS: Final = ("succeeded", "pending")',
        'COUNTED_REFUNDS: Final = ("succeeded", "pending", "failed", "canceled")',
        f"{MONEY}::test_pitfall_04_revenue_returns_when_a_refund_does_not_go_through",
    ),
    Rule(
        5,
        "the fees of a movement left out of its net",
        "kpay/domain/records_cash.py",
        'net_minor=raw["net"]',
        'net_minor=raw["amount"]',
        f"{MONEY}::test_pitfall_05_a_dispute_takes_its_money_and_fee_and_gives_them_back_when_won",
    ),
    Rule(
        6,
        "credits of a proration cut to nothing",
        "kpay/domain/records_invoices.py",
        'gross_minor=line["amount"] + added',
        'gross_minor=max(line["amount"], 0) + added',
        f"{RECURRING}::test_pitfall_06_both_sides_of_a_proration_are_kept_with_their_signs",
    ),
    Rule(
        7,
        "trials counted as recurring revenue",
        "kpay/domain/phases.py",
        "amount = line.net_minor",
        "amount = terms.amount_minor or 0",
        f"{RECURRING}::test_pitfall_07_a_trial_costs_nothing_and_is_no_recurring_revenue",
        (
            ("kpay/domain/subscription_spans.py", '"trialing", "paused"', '"paused"'),
            (
                "kpay/domain/subscription_spans.py",
                "start = max(phase.starts_at, floor) if floor else phase.starts_at",
                "start = phase.starts_at",
            ),
        ),
    ),
    Rule(
        8,
        "only the subscriptions that a list shows by itself",
        "kpay/domain/resources.py",
        'parameters={"status": "all"}',
        "parameters={}",
        f"{RECURRING}::test_pitfall_08_canceled_subscriptions_are_read_though_lists_hide_them",
    ),
    Rule(
        9,
        "pending movements never read again",
        "kpay/services/reading.py",
        "owed[MOVEMENTS.name].add(due, Reread.PENDING)",
        "del due",
        f"{CHANGES}::test_pitfall_09_pending_money_is_read_again_once_it_is_available",
    ),
    Rule(
        10,
        "buyers known by their customer object alone",
        "kpay/services/deriving_people.py",
        "return self._emails.get(normal_email(email)) if email else None",
        "return None",
        f"{PEOPLE}::test_pitfall_10_guests_disputed_and_failed_payments_are_all_there",
    ),
    Rule(
        11,
        "a deletion that leaves no mark",
        "kpay/services/intake.py",
        "customers.mark_deleted(connection, self.account, gone)",
        "pass",
        f"{PEOPLE}::test_pitfall_11_a_deleted_customer_keeps_the_sales_and_the_name",
    ),
    Rule(
        12,
        "the watermark moved with the first page",
        "kpay/services/walks.py",
        "return Cursor(self.watermark, self.target, self.starting_after)",
        "return Cursor(self.target, None, None)",
        "tests/pitfalls/test_killed_walk.py",
    ),
    Rule(
        13,
        "only what is newer than the watermark",
        "kpay/services/walks.py",
        "lower = mark - LOOKBACK if mark else None\n    if is_full",
        "lower = mark + timedelta(seconds=1) if mark else None\n    if is_full",
        f"{CHANGES}::test_pitfall_13_the_second_of_the_watermark_and_late_rows_are_read",
    ),
    Rule(
        14,
        "events name nothing",
        "kpay/services/reading.py",
        "owed[name].add(made.items(), Reread.CHANGED)",
        "del made",
        f"{REREADS}::test_pitfall_26_an_event_that_comes_late_inside_the_look_back_is_acted_on",
    ),
    Rule(
        14,
        "a gap of more than thirty days not noticed",
        "kpay/services/changes.py",
        "return known is not None and now - known > timedelta(days=EVENTS_KEPT_DAYS - 1)",
        "return False",
        f"{CHANGES}::test_pitfall_14_after_31_days_everything_is_read_again_and_said_aloud",
    ),
    Rule(
        15,
        "a charge read once is never read again",
        "kpay/services/reading.py",
        "owed[CHARGES.name].add(bare, Reread.PENDING)",
        "del bare",
        f"{REREADS}::test_pitfall_15_a_charge_without_its_movement_is_read_again_until_it_has_one",
    ),
    Rule(
        16,
        "everything that is read is written",
        "kpay/services/intake.py",
        "news = [one for one in members.values() if known.get(one.id) != one.digest]",
        "news = list(members.values())",
        f"{REREADS}::test_pitfall_16_a_third_whole_reading_changes_no_byte_either",
    ),
    Rule(
        17,
        "as fast as it goes",
        "kpay/adapters/stripe_api/pace.py",
        "REQUESTS_A_SECOND = 20.0",
        "REQUESTS_A_SECOND = 80.0",
        f"{FAULTS}::test_pitfall_17_requests_keep_below_the_limit_by_themselves",
    ),
    Rule(
        17,
        "a 429 is final, as it is to the library",
        "kpay/adapters/stripe_api/errors.py",
        "if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError):\n        return True",
        "if isinstance(error, stripe.RateLimitError):\n        return False",
        f"{FAULTS}::test_pitfall_17_a_server_that_asks_for_patience_gets_it",
    ),
    Rule(
        18,
        "a page of a proxy is final",
        "kpay/adapters/stripe_api/errors.py",
        "(status == 200 and type(error) is stripe.APIError)",
        "False",
        f"{FAULTS}::test_pitfall_18_every_fault_is_borne_and_leaves_no_trace",
    ),
    Rule(
        18,
        "nothing is asked twice",
        "kpay/adapters/stripe_api/patience.py",
        "TRIES: Final = 6",
        "TRIES: Final = 1",
        f"{FAULTS}::test_pitfall_18_every_fault_is_borne_and_leaves_no_trace",
    ),
    Rule(
        19,
        "a list that may not be read counts as read",
        "kpay/services/walking.py",
        "tally.status = ResourceStatus.FORBIDDEN",
        "tally.status = ResourceStatus.OK",
        f"{REFUSALS}::test_pitfall_19_a_list_that_the_key_may_not_read_is_named_and_arrives_once_it_may",
    ),
    Rule(
        20,
        "a refused request counts as a list that is not there",
        "kpay/adapters/stripe_api/errors.py",
        "if meaning is ResourceUnsupported and status != HTTPStatus.NOT_FOUND:",
        "if False:",
        f"{REFUSALS}::test_pitfall_20_a_refused_request_is_never_taken_for_an_empty_list",
    ),
    Rule(
        21,
        "any key will do",
        "kpay/services/accounts.py",
        "if not (is_same_mode and is_unnamed and shows_ours(store, holder, pinned)):",
        "if False:",
        f"{REFUSALS}::test_pitfall_21_a_key_of_the_other_mode_is_refused_and_nothing_is_written",
    ),
    Rule(
        21,
        "objects of any mode are kept",
        "kpay/services/walking.py",
        'if raw.get("livemode") is (not account.livemode):',
        "if False:",
        f"{REFUSALS}::test_pitfall_21_an_object_of_the_other_mode_is_refused",
    ),
    Rule(
        22,
        "what was sold is looked up anew",
        "kpay/services/deriving_sales.py",
        "if before is not None and before.content_id is not None:",
        "if False:",
        f"{CONTENT}::test_pitfall_22_an_old_sale_keeps_its_content_when_the_price_is_moved",
    ),
    Rule(
        23,
        "a checkout hangs on its link",
        "kpay/domain/records_sales.py",
        "return self.payment_intent or self.invoice or self.subscription",
        "return self.payment_link",
        f"{CONTENT}::test_pitfall_23_one_link_with_three_checkouts_is_three_sales",
    ),
    Rule(
        24,
        "tax taken for revenue",
        "kpay/domain/records_sales.py",
        'tax_minor=part(raw, "total_details", "amount_tax") or 0',
        "tax_minor=0",
        f"{MONEY}::test_pitfall_24_tax_is_not_revenue",
    ),
    Rule(
        25,
        "the price taken for what was paid",
        "kpay/domain/records_sales.py",
        'discount_minor=part(raw, "total_details", "amount_discount") or 0',
        "discount_minor=0",
        f"{MONEY}::test_pitfall_25_a_discount_stands_beside_the_price",
    ),
    Rule(
        26,
        "events that were acted on are acted on again",
        "kpay/services/changes.py",
        'return event["id"] not in seen and not is_covered',
        "return not is_covered",
        f"{REREADS}::test_pitfall_26_the_same_event_twice_is_read_once",
    ),
    Rule(
        26,
        "events read from the newest on, with nothing before it",
        "kpay/services/changes.py",
        'asked["created"] = {"gte": int((since - LOOKBACK).timestamp())}',
        'asked["created"] = {"gte": int(since.timestamp())}',
        f"{REREADS}::test_pitfall_26_an_event_that_comes_late_inside_the_look_back_is_acted_on",
    ),
    Rule(
        27,
        "the second of the newest object counts as read",
        "kpay/services/walks.py",
        "lower = mark - LOOKBACK if mark else None\n    if is_full",
        "lower = mark + timedelta(seconds=1) if mark else None\n    if is_full",
        f"{CHANGES}::test_pitfall_27_what_is_sold_while_lists_are_read_is_there_after_the_next_sync",
    ),
    Rule(
        28,
        "Stripe's own words repeated whole",
        "kpay/adapters/stripe_api/errors.py",
        'KEY_PATTERN.sub(r"\\1_...", _first_line(error))',
        "_first_line(error)",
        "tests/pitfalls/test_secrets.py::test_pitfall_28_no_refusal_brings_the_key_to_light",
    ),
)
