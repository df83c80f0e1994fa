"""`kill -9` in the middle of a first sync: the next one ends as if nothing had happened."""

from __future__ import annotations

import random
from pathlib import Path

from tests.fakes.killing import Victim, new_template
from tests.fakes.servers import running

KILLS = 3


def test_a_sync_that_is_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    with running("sandbox", 80, 180, 5) as server:
        env = server.environment()
        template = new_template(tmp_path, env)
        undisturbed = Victim(template, tmp_path / "undisturbed", env)
        course = undisturbed.sync()
        expected = undisturbed.digest()
        assert undisturbed.objects() == server.objects
        draw, between = random.Random(5), 0
        victim = Victim(template, tmp_path / "victim", env)
        for _ in range(KILLS):
            victim.kill_after(draw.uniform(course.first_commit_s, course.last_commit_s))
            between += victim.where(expected) == "between"

        victim.sync()

        assert victim.digest() == expected
        assert between > 0
