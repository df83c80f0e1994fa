"""`python -m kpay`."""

from __future__ import annotations

from kpay.cli import main

main()
