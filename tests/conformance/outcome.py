"""What a conformance run found: the tests of each class, passed, failed, and expected to."""

import fnmatch
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

# a reason is one of these; what differs on purpose counts as failed
KINDS = ("private name", "wording", "on purpose")
_WRONG_WORDS = ("did not match", "pattern", "Regex")


@dataclass(frozen=True)
class Expected:
    """A line of a file of expected failures."""

    test: str
    kind: str
    reason: str
    proof: str = ""

    def covers(self, nodeid):
        pattern = self.test.replace("[", "[[]")
        return fnmatch.fnmatchcase(nodeid.removeprefix("sklearn/"), pattern)


@dataclass
class Result:
    """One test of scikit-learn's."""

    nodeid: str
    passed: bool
    classes: tuple
    message: str = ""


@dataclass
class Outcome:
    """A room's results against its file of expected failures."""

    room: str
    expected: list
    results: list = field(default_factory=list)

    def reason(self, result):
        return next((e for e in self.expected if e.covers(result.nodeid)), None)

    def unexpected(self):
        return [r for r in self.results if not r.passed and self.reason(r) is None]

    def on_purpose(self):
        """Reason -> number of tests, of what differs on purpose."""
        counts = defaultdict(int)
        for result in self.results:
            reason = self.reason(result)
            if not result.passed and reason is not None and reason.kind == "on purpose":
                counts[reason.reason] += 1
        return dict(counts)

    def unproved(self):
        """Failures filed as wording where the error was not of the right kind."""
        for result in self.results:
            reason = self.reason(result)
            if result.passed or reason is None or reason.kind != "wording" or reason.proof:
                continue
            if not any(words in result.message for words in _WRONG_WORDS):
                yield result

    def stale(self):
        """Expectations that no failure met."""
        failed = [r.nodeid for r in self.results if not r.passed]
        return [e for e in self.expected if not any(e.covers(n) for n in failed)]

    def table(self):
        """Class -> (passed, counted): without private names and wording."""
        counts = defaultdict(lambda: [0, 0])
        for result in self.results:
            reason = self.reason(result)
            if not result.passed and reason is not None and reason.kind != "on purpose":
                continue
            for name in (*result.classes, "together"):
                counts[name][0] += result.passed
                counts[name][1] += 1
        return {name: tuple(pair) for name, pair in sorted(counts.items())}


def read_expected(room):
    """Read ``expected/<room>.toml``: tables [[failure]] with test, kind, reason, proof."""
    path = Path(__file__).parent / "expected" / f"{room}.toml"
    if not path.exists():
        return []
    entries = [Expected(**entry) for entry in tomllib.loads(path.read_text())["failure"]]
    for entry in entries:
        if entry.kind not in KINDS or not entry.reason:
            raise ValueError(f"{path.name}: {entry.test}: kind is one of {KINDS}, with a reason")
    return entries
