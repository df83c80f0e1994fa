"""The pitfalls of syncing a payment provider, each with the test that catches it.

Their numbers are those of the list in docs/pitfalls.md; every test talks to a server over loopback.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.desk import Desk, open_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path) as opened:
        yield opened
