"""Trees that came from a file: LightGBM reads them in a child process, never in this one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.errors import ModelDamaged
from kpay.ml.boosting import Boosting
from kpay.ml.frames import Floats

CHILD: Final = (sys.executable, "-P", "-m", "kpay.ml.tree_child")
LIMIT_S: Final = 60.0
ROWS_A_SECOND: Final = 500  # added to the limit; contributions come at a tenth of what is usual
MEMORY_BYTES: Final = 2 * 1024**3  # of addresses, most of which the libraries only reserve
MEMORY_A_ROW: Final = 4  # times what the rows take themselves: read, shaped, answered


@dataclass(frozen=True, slots=True)
class SealedTrees(Boosting):
    """Trees whose text is not trusted; `run` is named when they turn out to be damaged."""

    run: str
    limit_s: float = LIMIT_S

    def log_odds(self, columns: Floats) -> Floats:
        """Return log odds of rows (n, k); ModelDamaged when LightGBM cannot read the trees."""
        return self._ask("log_odds", columns, (len(columns), 1))[:, 0]

    def contributions(self, columns: Floats) -> Floats:
        """Return what each column adds, the base last; ModelDamaged as above."""
        return self._ask("contributions", columns, (len(columns), len(self.names) + 1))

    def _gains(self) -> Floats:
        return self._ask("gain", np.zeros((0, 0)), (len(self.names), 1))[:, 0]

    def _ask(self, what: str, columns: Floats, shape: tuple[int, int]) -> Floats:
        if shape[0] == 0:
            return np.zeros(shape)
        answer = self._run(self._question(what, columns), len(columns))
        head, _, body = answer.partition(b"\n")
        try:
            said = json.loads(head)
            found = np.frombuffer(body, np.float64).reshape(said["rows"], said["columns"])
        except (ValueError, KeyError, TypeError):
            raise self._damaged("nothing sensible came back") from None
        if found.shape != shape or not np.isfinite(found).all():
            raise self._damaged("its trees do not fit its columns")
        return found

    def _question(self, what: str, columns: Floats) -> bytes:
        text = self.text.encode()
        rows, width = columns.shape
        cells = np.ascontiguousarray(columns, dtype=np.float64).tobytes()
        head = {
            "what": what,
            "rows": rows,
            "columns": width,
            "text_bytes": len(text),
            "memory_bytes": MEMORY_BYTES + MEMORY_A_ROW * len(cells) + len(text),
        }
        return json.dumps(head).encode() + b"\n" + text + cells

    def _run(self, question: bytes, rows: int) -> bytes:
        limit_s = self.limit_s + rows / ROWS_A_SECOND
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and our own program
                CHILD, input=question, capture_output=True, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise self._damaged(f"LightGBM was still reading after {limit_s:.0f} s") from None
        if done.returncode != 0:
            raise self._damaged("LightGBM cannot read its trees")
        return done.stdout

    def _damaged(self, why: str) -> ModelDamaged:
        return ModelDamaged(self.run, why)
