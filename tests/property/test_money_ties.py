"""Whatever happens in a shop: the report, the balance and the provider's own sums are one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from kpay.domain.reports.scope import Scope
from kpay.services.reporting.revenue import revenue_report
from kpay.services.syncing import sync
from kpay.services.verifying import verify
from tests.fakes.provider import FakeSource
from tests.fakes.stores import new_store
from tests.fakes.stripe_shop import DAY, START, Sale, Shop

NOW = datetime.fromtimestamp(START + 99 * DAY, UTC)
CURRENCIES = ("usd", "eur", "jpy", "bhd", "isk")
sales = st.tuples(
    st.sampled_from(CURRENCIES),
    st.integers(100, 9999).map(lambda amount: amount * 100),
    st.integers(0, 50),  # discount, percent
    st.integers(0, 25),  # tax inside, percent
    st.sampled_from(["card", "alipay", "wechat_pay"]),
    st.lists(
        st.tuples(
            st.sampled_from(["refund", "failed refund", "pending refund"]), st.integers(1, 40)
        ),
        max_size=2,
    ),
    st.sampled_from(["", "", "lost", "won", "warning_closed"]),
)


def live(shop: Shop, number: int, happened: tuple[object, ...]) -> None:
    """Let one sale and what came after it happen."""
    currency, amount, discount, tax, method, given_back, dispute = happened
    assert isinstance(amount, int)
    assert isinstance(discount, int)
    assert isinstance(tax, int)
    assert isinstance(given_back, list)
    at = START + number * DAY
    off = amount * discount // 100
    sale = shop.sell(
        shop.offer(f"piece-{number}", amount, str(currency)),
        at,
        f"buyer{number % 3}@r.example",
        discount=off,
        tax=(amount - off) * tax // (100 + tax),
        method=str(method),
    )
    for kind, percent in given_back:
        _give_back(shop, sale, str(kind), (amount - off) * percent // 100, at + DAY)
    if dispute:
        _dispute(shop, sale, str(dispute), at + 2 * DAY)


def _give_back(shop: Shop, sale: Sale, kind: str, amount: int, at: int) -> None:
    refund = shop.refund(sale, amount, at, "pending" if kind == "pending refund" else "succeeded")
    if kind == "failed refund":
        shop.provider.change(refund, at, None, status="failed")
        shop.move(refund["id"], amount, at + DAY, sale.charge["currency"], kind="refund_failure")


def _dispute(shop: Shop, sale: Sale, status: str, at: int) -> None:
    dispute = shop.dispute(sale, at, status)
    if status == "warning_closed":
        return
    amount, currency = sale.charge["amount"], sale.charge["currency"]
    taken = shop.move(dispute["id"], -amount, at, currency, kind="adjustment")
    shop.provider.change(taken, at, None, fee=1500, net=-amount - 1500)
    if status == "won":
        shop.move(dispute["id"], amount, at + DAY, currency, kind="adjustment")


@settings(max_examples=15, deadline=None)
@given(st.lists(sales, min_size=1, max_size=6))
def test_net_with_tax_is_what_the_balance_earned_and_what_the_provider_says(
    story: list[tuple[object, ...]],
) -> None:
    shop = Shop()
    for number, happened in enumerate(story):
        live(shop, number, happened)
    earned: Counter[str] = Counter()
    for raw in shop.provider.objects["balance_transaction"].values():
        earned[raw["currency"]] += raw["net"]
    with TemporaryDirectory() as folder:
        store = new_store(Path(folder))
        source = FakeSource(shop.provider)
        sync(store, source, now=NOW)
        verified = verify(store, source, source.account())
        with store.reading() as connection:
            made = revenue_report(connection, Scope(None, NOW, "UTC", "usd"))
        store.close()

    assert verified.is_whole
    assert verified.net_by_currency == dict(earned)
    assert {code: side.net_minor for code, side in made.bank.items()} == dict(earned)
    assert {code: one.net_minor + one.tax_minor for code, one in made.totals.items()} == dict(
        earned
    )
