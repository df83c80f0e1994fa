"""Pure models on frames and arrays: no SQL, no files, no printing, no clock.

OpenMP threads spin at their barriers unless told to sleep, which makes two threads on two busy cores
some twenty times slower than one. The policy is read once, when the runtime is first loaded, so it is
set here, before any module of this package can import lightgbm or scikit-learn.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
