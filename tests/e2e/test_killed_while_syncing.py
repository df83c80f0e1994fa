"""`kill -9` in the middle of a first sync: the next one ends as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.killing import Victim, new_template
from tests.fakes.servers import running


def test_a_sync_that_is_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    with running("sandbox", 80, 180, 5) as server:
        env = server.environment()
        template = new_template(tmp_path, env)
        undisturbed = Victim(template, tmp_path / "undisturbed", env)
        undisturbed.sync()
        expected = undisturbed.digest()
        assert undisturbed.objects() == server.objects
        victim = Victim(template, tmp_path / "victim", env)

        assert victim.kill_at_commit(1)
        assert victim.where(expected) == "between"
        for number in (1, 2):
            victim.kill_at_commit(number)
        victim.sync()

        assert victim.digest() == expected
