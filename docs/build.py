"""Build the site in every language: `python docs/build.py [folder]`.

Examples and cells run once, for English; the other languages read what was kept. English lies
at the root of the folder, the others in `ja/` and `zh-Hant/`; a page's switch keeps the page.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))

from languages import LANGUAGES  # noqa: E402


def main() -> None:
    """Build one language after the other; the first that fails ends it."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "_build"
    for language, (folder, _) in LANGUAGES.items():
        options = [
            "-W", "-n", "--keep-going", "-d", str(DOCS / "_cache" / f"doctrees-{language}"),
            "-D", f"language={language}", "-D", f"site_languages={','.join(LANGUAGES)}",
        ]  # fmt: skip
        command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(target / folder)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
