"""One case of the sync bench in a process of its own; prints what it cost as one line of JSON.

    python -m tests.bench.sync_cases sync|pages|sdk URL KEY

`sync` is kpay's own first sync into a fresh store, `pages` reads the same lists with the library's raw
requests and only parses the JSON, `sdk` counts the objects that its auto_paging_iter yields.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import stripe

from kpay.domain.resources import RESOURCES, Resource

Work = Callable[[], int]
NOW = datetime(2026, 10, 1, tzinfo=UTC)


def sync(url: str, key: str) -> Work:
    """Sync everything into a fresh store, which stands ready before the clock runs."""
    from kpay.adapters.stripe_api import StripeConnection, StripeSource
    from kpay.services.syncing import sync as sync_now
    from tests.fakes.stores import new_store

    store = new_store(Path(tempfile.mkdtemp()), "guide")
    source = StripeSource(StripeConnection(key, url))

    def work() -> int:
        report = sync_now(store, source, now=NOW)
        return sum(tally.seen for tally in report.tallies.values())

    return work


def pages(url: str, key: str) -> Work:
    """Read every page of every list as JSON, one after the other."""
    client = stripe.StripeClient(key, base_addresses={"api": url})
    return lambda: sum(_objects(client, one) for one in RESOURCES)


def _objects(client: stripe.StripeClient, one: Resource) -> int:
    count, asked, has_more = 0, one.list_parameters(), True
    while has_more:
        page = _page(client, one.path, asked)
        found = page.get("data", [])
        count += len(found)
        has_more = bool(page.get("has_more")) and bool(found)
        if has_more:
            asked["starting_after"] = found[-1]["id"]
    return count


def _page(client: stripe.StripeClient, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        answer: Any = client.raw_request("get", f"/v1/{path}", **asked)
    except stripe.InvalidRequestError:  # a look-alike without this list
        return {}
    found: dict[str, Any] = json.loads(answer.body)
    return found


def sdk(url: str, key: str) -> Work:
    """Count what the library's own paging yields."""
    services = stripe.StripeClient(key, base_addresses={"api": url}).v1
    return lambda: sum(_yielded(services, one) for one in RESOURCES)


def _yielded(services: Any, one: Resource) -> int:
    for name in one.path.split("/"):
        services = getattr(services, name)
    try:
        return sum(1 for _ in services.list(one.list_parameters()).auto_paging_iter())
    except stripe.InvalidRequestError:
        return 0


CASES: dict[str, Callable[[str, str], Work]] = {"sync": sync, "pages": pages, "sdk": sdk}


def main(case: str, url: str, key: str) -> None:
    """Run one case and print what it cost."""
    work = CASES[case](url, key)
    began, worked = time.perf_counter(), time.process_time()
    objects = work()
    cost = {
        "objects": objects,
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - worked,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
