"""Boosting does without scikit-learn, which LightGBM would load for nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

from kpay.ml import boosting

TRAIN = """
import json, sys
import numpy as np
if sys.argv[1] == "loaded":
    import sklearn
from kpay.ml import boosting
chance = np.random.default_rng(1)
columns = chance.normal(size=(600, 3))
bought = (columns[:, 0] + chance.normal(size=600) > 0).astype(float)
settings = boosting.parameters(1)
found = boosting.cross_validate(columns, bought, np.arange(600) % 4, settings)
rounds, log_odds = found.rounds, found.out_of_fold
model = boosting.fit(columns, bought, ("a", "b", "c"), rounds, settings)
was_loaded = "sklearn" in sys.modules
import sklearn.base
print(json.dumps([was_loaded, rounds, log_odds.tolist(), model.text]))
"""


def trained(sklearn: str) -> list[object]:
    command = [sys.executable, "-c", TRAIN, sklearn]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    answer: list[object] = json.loads(done.stdout)
    return answer


def test_training_loads_no_scikit_learn_and_comes_to_the_same_with_it() -> None:
    was_loaded, *without = trained("not loaded")
    assert was_loaded is False
    was_loaded, *with_it = trained("loaded")
    assert was_loaded is True
    assert without == with_it


def test_the_last_fit_is_the_one_on_all_rows_byte_for_byte() -> None:
    chance = np.random.default_rng(1)
    columns = chance.normal(size=(600, 3))
    bought = (columns[:, 0] + chance.normal(size=600) > 0).astype(float)
    start, names, settings = columns[:, 1] / 3, ("a", "b", "c"), boosting.parameters(1)
    found = boosting.cross_validate(columns, bought, np.arange(600) % 4, settings, start=start)
    fresh = boosting.fit(columns, bought, names, found.rounds, settings, start=start)
    assert boosting.refit(found, names, settings) == fresh
