"""Pitfall 12: lists are newest first, so a walk that was killed must not count as done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.desk import Desk, open_desk, sell_daily
from tests.fakes.stripe_server import KEY

CHARGES = "/v1/charges?"
WATERMARKS = "SELECT watermark_at, starting_after FROM sync_cursor WHERE resource = 'charges'"


@contextmanager
def syncing(desk: Desk) -> Iterator[subprocess.Popen[bytes]]:
    """Run `kpay sync` as a process of its own, and kill it in the end."""
    script = str(Path(sys.executable).with_name("kpay"))
    env = {**os.environ, "KPAY_STRIPE_KEY": KEY, "KPAY_STRIPE_API_BASE": desk.server.url}
    child = subprocess.Popen(
        [script, "sync", "--home", str(desk.home)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def wait_for_page_three(desk: Desk) -> None:
    """Wait until two pages of charges are in the store and the third is asked for."""
    for _ in range(400):
        asked = desk.server.asked(CHARGES)
        place = "".join(str(after) for _, after in desk.rows(WATERMARKS))
        if len(asked) == 3 and asked[2].endswith(f"starting_after={place}"):
            return
        time.sleep(0.05)
    raise AssertionError("page two was not committed while page three was on its way")


def test_pitfall_12_a_sync_killed_in_page_three_goes_on_there_and_loses_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    sell_daily(desk, 650)
    with open_desk(tmp_path / "undisturbed", desk.shop) as undisturbed:
        assert undisturbed.run("sync", day=650).exit_code == 0
        expected = undisturbed.digest()
    release = threading.Event()

    def hold_page_three(path: str) -> None:
        if CHARGES in path and len(desk.server.asked(CHARGES)) == 3:
            release.wait(30)

    desk.server.before = hold_page_three
    with syncing(desk):
        wait_for_page_three(desk)
    release.set()
    done = desk.server.asked(CHARGES)[:2]
    assert desk.rows(WATERMARKS)[0][0] is None
    desk.server.requests.clear()

    assert desk.run("sync", day=650).exit_code == 0

    again = desk.server.asked(CHARGES)
    assert not set(done) & set(again)
    assert len(again) <= 6  # pages three to seven, and what is newer than the first walk began with
    assert desk.differences() == []
    assert desk.digest() == expected
