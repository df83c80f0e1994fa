"""A creator's desk for the tests of a sync: a shop, the server it sells through, a business folder."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from kpay.adapters.signing import signing_key
from kpay.adapters.stripe_api import StripeConnection, StripeSource
from kpay.domain.resources import RESOURCES
from kpay.domain.sync_report import SyncReport
from kpay.services.provided import unpack
from kpay.services.syncing import SyncWish, sync
from kpay.store.engine import Store
from tests.conftest import Result, run_kpay
from tests.fakes.stores import add_content, digest, rows
from tests.fakes.stripe_server import KEY, StripeServer, serving
from tests.fakes.stripe_shop import DAY, START, Sale, Shop

SLUGS = ("guide", "audio", "club")


@cache
def _new_business() -> Path:
    """Begin a business once for all tests of this process."""
    home = Path(tempfile.mkdtemp()) / "shop"
    assert run_kpay("init", str(home)).exit_code == 0
    add_content(Store(home / "kpay.db"), *SLUGS)
    signing_key(home)  # made now, so that copies of the business sign alike
    return home


@dataclass
class Desk:
    """What a test works with; days are counted from START."""

    home: Path
    shop: Shop
    server: StripeServer

    @property
    def store(self) -> Store:
        """The store of the business."""
        return Store(self.home / "kpay.db")

    def source(self, key: str = KEY) -> StripeSource:
        """A fresh connection, as each command makes one."""
        return StripeSource(StripeConnection(key, self.server.url))

    def sync(self, day: float, last_day: float | None = None, **wish: Any) -> SyncReport:
        """Sync on a day; `last_day` is when it last worked."""
        last = None if last_day is None else moment(last_day)
        wished = SyncWish(**wish)
        return sync(self.store, self.source(), now=moment(day), last_success=last, wish=wished)

    def run(self, *words: str, day: float = 40, key: str = KEY) -> Result:
        """Run a command of the business."""
        env = {
            "KPAY_STRIPE_KEY": key,
            "KPAY_STRIPE_API_BASE": self.server.url,
            "KPAY_MAIL_FROM": "Ana Lee <ana@example.com>",
            "KPAY_NOW": moment(day).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return run_kpay(*words, home=self.home, env=env)

    def answer(self, *words: str, day: float = 40) -> dict[str, Any]:
        """Run a command with --json and return its answer."""
        result = self.run(*words, "--json", day=day)
        assert result.stdout, result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the store."""
        return rows(self.store, query)

    def digest(self) -> str:
        """Return one text that changes with anything in the store."""
        return digest(self.store)

    def differences(self) -> list[str]:
        """Return the ids of living objects of which the store keeps nothing, or another version."""
        query = "SELECT external_id, payload FROM provider_object WHERE is_deleted = 0"
        kept = {external_id: unpack(payload) for external_id, payload in self.rows(query)}
        there: dict[str, Any] = {}
        for resource in RESOURCES:
            there |= self.shop.provider.objects.get(resource.kind, {})
        living = {one: raw for one, raw in there.items() if one not in self.shop.provider.deleted}
        named = kept.keys() | living.keys()
        return sorted(one for one in named if kept.get(one) != living.get(one))

    def net(self) -> dict[str, int]:
        """Return the sum of the store's balance movements by currency."""
        query = "SELECT currency, sum(net_minor) FROM balance_transaction GROUP BY 1"
        return dict(self.rows(query))


@contextmanager
def open_desk(folder: Path, shop: Shop | None = None) -> Iterator[Desk]:
    """Begin a business in a folder, with a server for its shop."""
    home = folder / "shop"
    shutil.copytree(_new_business(), home)
    shop = shop or Shop()
    with serving(shop.provider) as server:
        yield Desk(home, shop, server)


def moment(day: float) -> datetime:
    """Return a moment so many days after START."""
    return datetime.fromtimestamp(START + int(day * DAY), UTC)


def sell_daily(desk: Desk, days: int, slug: str = "guide") -> list[Sale]:
    """Sell one piece a day, each to somebody else."""
    guide = desk.shop.offer(slug, 2900)
    return [
        desk.shop.sell(guide, START + day * DAY, email=f"{day}@example.com") for day in range(days)
    ]
