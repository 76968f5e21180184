"""pytest plugin: one line of JSON for each of scikit-learn's tests that fits a class of kiso's."""

import json
import os
from pathlib import Path


def pytest_runtest_logreport(report):
    """Keep the test's call; with pytest-xdist this runs in the process that collects them."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return
    if report.when == "call" and not report.skipped:
        found = dict(report.user_properties).get("kiso", {"made": [], "fitted": []})
        classes = found["fitted"] if report.passed else found["fitted"] or found["made"]
        if classes:
            message = _message(report)
            entry = {"nodeid": report.nodeid, "passed": report.passed}
            entry |= {"classes": classes, "message": message}
            with Path(os.environ["KISO_CONFORMANCE_REPORT"]).open("a") as file:
                file.write(json.dumps(entry) + "\n")


def _message(report):
    if report.passed:
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return " | ".join(line for line in text.splitlines()[:6] if line.strip())[:400]
