"""A program that asks LightGBM about trees that came from a file: `python -m kpay.ml.tree_child`.

LightGBM's parser trusts its text: of a hundred damaged ones most end the process, one by one they
abort, read where nothing is, or never come back. Here that costs a child. The question stands on
stdin: a line of JSON (what, rows, columns, text_bytes, memory_bytes), the text, the rows as float64;
the answer on stdout is alike: a line of JSON (rows, columns) and float64. Anything else is a failure.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, Final, cast

for _unused in ("sklearn", "pandas"):  # LightGBM does without, and starts in half the time
    sys.modules[_unused] = cast(Any, None)

import lightgbm  # noqa: E402 - what it does without is named first
import numpy as np  # noqa: E402

try:
    import resource
except ImportError:  # Windows: there only the clock limits it
    resource = cast(Any, None)

ASKS: Final[dict[str, Callable[[lightgbm.Booster, np.ndarray], Any]]] = {
    "log_odds": lambda trees, rows: trees.predict(rows, raw_score=True, num_threads=1),
    "contributions": lambda trees, rows: trees.predict(rows, pred_contrib=True, num_threads=1),
    "gain": lambda trees, rows: trees.feature_importance("gain"),
}


def main() -> None:
    """Answer one question."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what LightGBM says goes to stderr, and only the answer to stdout
    asked = json.loads(sys.stdin.buffer.readline())
    limit_memory(asked["memory_bytes"])
    text = sys.stdin.buffer.read(asked["text_bytes"]).decode()
    cells = np.frombuffer(sys.stdin.buffer.read(), dtype=np.float64)
    rows = cells.reshape(asked["rows"], asked["columns"])
    found = np.asarray(ASKS[asked["what"]](lightgbm.Booster(model_str=text), rows), np.float64)
    found = np.ascontiguousarray(found.reshape(len(found), -1))
    shape = {"rows": found.shape[0], "columns": found.shape[1]}
    answers.write(json.dumps(shape).encode() + b"\n" + found.tobytes())
    answers.flush()


def limit_memory(most_bytes: int) -> None:
    """Let a text that asks for all memory fail here, and leave no dump of the memory behind."""
    if resource:
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
