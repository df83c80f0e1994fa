"""`kpay sync --watch`: how politely it looks, when it syncs, and what it bears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from kpay.domain.checkout import Account
from kpay.domain.enums import ResourceStatus
from kpay.domain.sync_report import SyncReport, Tally
from kpay.errors import Busy, CredentialsMissing, RemoteProblem, ResourceForbidden
from kpay.ports import Page
from kpay.services.watching import ANYWAY_EVERY_S, LONGEST_WAIT_S, Watch
from tests.fakes.provider import FakeProvider, FakeSource

EVERY_S = 60


class Over(Exception):
    """Ends a watch that would go on for ever."""


def report(changed: int = 0, status: ResourceStatus = ResourceStatus.OK) -> SyncReport:
    reason = None if status is ResourceStatus.OK else "why"
    tally = Tally(status=status, created=changed, reason=reason)
    return SyncReport(Account("acct_1", False), {"charges": tally}, {}, 18, 0.5)


@dataclass
class Night:
    """A provider, a clock, and what the watch did."""

    provider: FakeProvider = field(default_factory=FakeProvider)
    script: Mapping[int, Any] = field(default_factory=dict)
    reports: list[Any] = field(default_factory=list)
    now: float = 0.0
    looks: int = 0
    synced_at: list[float] = field(default_factory=list)
    shown: list[SyncReport] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def source(self) -> FakeSource:
        self.looks += 1
        happens = self.script.get(self.looks)
        if callable(happens):
            happens()
        night = self

        class Looked(FakeSource):
            def page(self, path: str, parameters: Mapping[str, Any]) -> Page:
                assert (path, parameters) == ("events", {"limit": 1})
                if isinstance(happens, Exception):
                    raise happens
                return super().page(path, parameters)

        return Looked(night.provider)

    def sync(self) -> SyncReport:
        self.synced_at.append(self.now)
        found = self.reports.pop(0) if self.reports else report()
        if isinstance(found, Exception):
            raise found
        return found

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def watch(self, until_s: float) -> None:
        def sleep(seconds: float) -> None:
            self.sleep(seconds)
            if self.now > until_s:
                raise Over

        watching = Watch(
            open_source=self.source,
            sync=self.sync,
            show=self.shown.append,
            say=self.said.append,
            every_s=EVERY_S,
            sleep=sleep,
            clock=lambda: self.now,
        )
        with pytest.raises(Over):
            watching.run()

    def tell(self) -> None:
        self.provider.tell("charge.updated", {"id": "ch_1", "object": "charge"}, int(self.now))


def test_it_syncs_at_once_and_then_only_when_something_is_told() -> None:
    night = Night()
    night.script = {4: night.tell, 6: night.tell}

    night.watch(8 * EVERY_S)

    assert night.synced_at == [0, 3 * EVERY_S, 5 * EVERY_S]
    assert set(night.slept) == {EVERY_S}


def test_it_syncs_every_quarter_of_an_hour_anyway() -> None:
    night = Night()

    night.watch(31 * 60)

    assert night.synced_at == [0, ANYWAY_EVERY_S, 2 * ANYWAY_EVERY_S]


def test_only_a_sync_that_found_something_is_shown() -> None:
    night = Night(reports=[report(3), report(), report(2)])

    night.watch(2 * ANYWAY_EVERY_S)

    assert [one.changed for one in night.shown] == [3, 2]


def test_a_trouble_that_stays_is_shown_once() -> None:
    night = Night(reports=[report(status=ResourceStatus.FORBIDDEN) for _ in range(3)])

    night.watch(2 * ANYWAY_EVERY_S)

    assert len(night.synced_at) == 3
    assert len(night.shown) == 1


def test_a_server_that_is_away_is_told_once_and_asked_less_and_less() -> None:
    away = RemoteProblem("Stripe cannot be reached", "kpay doctor")
    night = Night(script=dict.fromkeys(range(2, 9), away))

    night.watch(4 * 3600)

    assert len([line for line in night.said if "cannot be reached" in line]) == 1
    assert night.said[-1] == "all is well again"
    assert night.slept[:7] == [60, 120, 240, 480, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]
    assert night.slept[-1] == EVERY_S


def test_another_kpay_at_work_is_waited_for() -> None:
    night = Night(reports=[Busy("another kpay is at work"), report(1)])

    night.watch(10 * EVERY_S)

    assert [one.changed for one in night.shown] == [1]


def test_a_sync_that_broke_off_is_made_again_soon() -> None:
    night = Night(reports=[report(1, ResourceStatus.PARTIAL), report(1)])
    night.tell()

    night.watch(3 * EVERY_S)

    assert night.synced_at == [0, EVERY_S]


def test_without_events_it_syncs_every_quarter_of_an_hour() -> None:
    night = Night(script=dict.fromkeys(range(1, 99), ResourceForbidden("not allowed")))

    night.watch(31 * 60)

    assert night.synced_at == [0, ANYWAY_EVERY_S, 2 * ANYWAY_EVERY_S]


def test_a_refused_key_ends_it() -> None:
    night = Night(script={2: CredentialsMissing("the key is refused")})
    watching = Watch(
        open_source=night.source,
        sync=night.sync,
        show=night.shown.append,
        say=night.said.append,
        every_s=EVERY_S,
        sleep=night.sleep,
        clock=lambda: night.now,
    )

    with pytest.raises(CredentialsMissing):
        watching.run()
