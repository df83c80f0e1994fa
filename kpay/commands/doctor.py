"""`kpay doctor`: is everything as it should be?"""

from __future__ import annotations

from kpay.commands.options import app as new_app
from kpay.commands.options import examples

app = new_app()


@app.command(epilog=examples("kpay doctor", "kpay doctor --json"))
def doctor() -> None:
    """Check settings, store, keys, mail, disk and models; each finding says what to do."""
    from kpay.bootstrap import find_business
    from kpay.bootstrap.mail import mail_probes
    from kpay.presentation import show
    from kpay.services.examining import examine

    home, settings, environment = find_business()
    report = examine(home, settings, environment, lambda: mail_probes(home, settings, environment))
    show(report.to_document())
    report.raise_if_broken()
