"""A whole day of a business, lived through the same commands that a creator would type.

The world is met through its servers only; its truth is asked at the end, when kpay has spoken.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

from kpay.domain.period import instant_text
from kpay.domain.verdicts import Demonstration
from kpay.errors import PartialResult
from kpay.services.judging import Answers, judge
from kpay.services.simulated import Shell, World

LAUNCH = "launch"
SCORES = "scores.csv"
AFTER_MAIL_DAYS = 14
FORECAST_DAYS = 30
HORIZON_DAYS = 90


class Day:
    """One demo: a world, a shell, the folder of the business, and what to say meanwhile."""

    def __init__(
        self, world: World, shell: Shell, home: Path, say: Callable[[str], None], seed: int
    ) -> None:
        self._world = world
        self._shell = shell
        self._home = home
        self._say = say
        self._seed = seed

    def live(self, days: int) -> Demonstration:
        """Live the day after `days` of history; raise PartialResult when a command fails."""
        began = time.monotonic()
        self._open_shop()
        self._pass_time(days, "The shop is open. {months:.0f} months go by, and people buy.")
        self._learn()
        mailed_on = self._world.today
        self._write_to_readers()
        self._pass_time(AFTER_MAIL_DAYS, "A fortnight goes by: readers click, buy, or leave.")
        self._look_back()
        answers = self._answers(mailed_on)
        verdicts = judge(answers, self._world.ledger().currencies, self._world.truth)
        seconds = time.monotonic() - began
        return Demonstration(str(self._home), self._seed, seconds, verdicts, self._next_steps())

    # ------------------------------------------------------------------ the day

    def _open_shop(self) -> None:
        self._say("A creator starts with a folder of Markdown files.")
        self._kpay("init", ".", "--example")
        self._kpay("publish")

    def _learn(self) -> None:
        self._say("The mailing list comes as CSV; the sales come from the provider.")
        self._paper("subscribers", self._world.subscribers_csv())
        self._kpay("sync")
        self._say("Who will buy again, and what?")
        self._kpay("train", "--horizon", f"{HORIZON_DAYS}d")
        self._kpay("score", "--csv", "--out", SCORES)
        self._kpay("recommend", self._likeliest_buyer())

    def _likeliest_buyer(self) -> str:
        """Return the address with the highest propensity, for a look at one person."""
        with (self._home / SCORES).open(encoding="utf-8", newline="") as file:
            return max(csv.DictReader(file), key=lambda row: float(row["propensity"]))["email"]

    def _write_to_readers(self) -> None:
        self._say("A new course is ready: publish it, and write to the readers who do not own it.")
        self._kpay("publish", LAUNCH)
        self._kpay("campaign", "plan", LAUNCH)
        self._kpay("campaign", "send", LAUNCH, "--yes")

    def _look_back(self) -> None:
        today = self._world.today
        self._paper("events", self._world.events_csv(today - timedelta(AFTER_MAIL_DAYS), today))
        self._kpay("sync")
        self._kpay("campaign", "results", LAUNCH)
        self._kpay("report")
        self._kpay("report", "mrr")
        self._kpay("forecast", "--horizon", f"{FORECAST_DAYS}d", "--freq", "week")

    def _pass_time(self, days: int, said: str) -> None:
        self._say(said.format(months=days / 30.4))
        self._world.advance(days)

    # ------------------------------------------------------------------ running commands

    @property
    def settings(self) -> dict[str, str]:
        """The environment of every command: where the servers are, and what time it is."""
        return {
            "KPAY_STRIPE_API_BASE": self._world.stripe_url,
            "KPAY_STRIPE_KEY": self._world.stripe_key,
            "KPAY_MAIL": "smtp",
            "KPAY_SMTP_URL": self._world.smtp_url,
            "KPAY_NOW": instant_text(self._world.now),
        }

    @property
    def _first_day(self) -> date:
        return self._world.start_at.date()

    def _kpay(self, *words: str) -> None:
        self._say("$ kpay " + " ".join(words))
        code = self._shell.run(words, self.settings)
        if code != 0:
            raise PartialResult(
                f"the demo stopped: kpay {' '.join(words)} ended with {code}",
                f"kpay {words[0]} --help",
            )

    def _paper(self, kind: str, text: str) -> None:
        """Save what the world hands out and import it."""
        folder = self._home / "imports"
        folder.mkdir(mode=0o700, exist_ok=True)
        name = f"{kind}-{self._world.today}.csv"
        (folder / name).write_text(text, encoding="utf-8")
        self._kpay("import", kind, f"imports/{name}")

    def _ask(self, words: tuple[str, ...]) -> str:
        code, text = self._shell.ask(words, self.settings)
        if code != 0:
            raise PartialResult(f"kpay {' '.join(words)} ended with {code}")
        return text

    def _answers(self, mailed_on: date) -> Answers:
        """Read again, as JSON and CSV and two at a time, what was shown."""
        questions: tuple[tuple[str, ...], ...] = (
            ("export", "orders"),
            ("report", "revenue", "--since", str(self._first_day), "--json"),
            ("campaign", "results", LAUNCH, "--level", "99.9", "--json"),
            ("forecast", "--horizon", f"{FORECAST_DAYS}d", "--json"),
        )
        with ThreadPoolExecutor(max_workers=2) as pool:
            orders, revenue, results, forecast = pool.map(self._ask, questions)
        return Answers(
            today=self._world.today,
            mailed_on=mailed_on,
            mailed=[letter.recipient for letter in self._world.mailbox if letter.is_marketing],
            scores=(self._home / SCORES).read_text(encoding="utf-8"),
            orders=orders,
            revenue=revenue,
            results=results,
            forecast=forecast,
        )

    def _next_steps(self) -> tuple[str, ...]:
        now = self.settings["KPAY_NOW"]
        return (
            f"cd {self._home} && export KPAY_NOW={now}",
            "kpay report revenue --format html --out revenue.html",
            "kpay customer list",
            "kpay init my-business   # your own",
        )
