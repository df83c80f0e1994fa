"""Pure models on frames and arrays: no SQL, no files, no printing, no clock.

Threads of the number libraries spin at their barriers while they wait for each other. Where cores are
shared that makes two threads some twenty times slower than one, and a fit of four parameters three
times slower than all the rest. Both settings are read once, when a library is first loaded; an
environment that says otherwise is obeyed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
