"""Whether an address leads nowhere but to this machine."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
