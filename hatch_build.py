"""Compile kiso's loops while the wheel is built, so that no user has to.

The loops and types of `src/kiso/_compute/signatures.json` become machine code for this machine's
level (x86-64-v3, x86-64-v4 or aarch64) and go into the wheel, which then has the tag of this
Python and platform. What cannot be compiled here is compiled where it is called: the build never
fails for it. An editable installation goes without, and so does a pure wheel
(`HATCH_BUILD_NO_HOOKS=true pip wheel .`).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Hatchling's hook: adds a store of compiled loops to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless the installation is editable."""
        if version == "editable" or self.target_name != "wheel":
            return
        begun = time.monotonic()
        self.folder = tempfile.TemporaryDirectory(prefix="kiso-loops")
        try:
            path, text = self._make(Path(self.folder.name))
        except Exception as error:
            self.app.display_warning(f"no loops are compiled into the wheel: {error!r}")
            return
        build_data["force_include"][str(path)] = f"kiso/_compute/stores/{path.name}"
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        self.app.display_info(f"{text} in {time.monotonic() - begun:.0f} s")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only needed for packing."""
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def _make(self, folder: Path) -> tuple[Path, str]:
        sources = Path(self.root) / "src"
        sys.path.insert(0, str(sources))
        try:
            from kiso._compute import levels, making, signatures, store
        finally:
            sys.path.remove(str(sources))
        level = levels.best_level().name
        if level not in levels.LEVELS:
            raise RuntimeError("this processor has none of the levels that are stored")
        package = sources / "kiso"
        wanted = [(one.loop, one.types) for one in signatures.listed()]
        if not wanted:
            raise RuntimeError("no loops are listed")
        seconds = float(self.config.get("seconds", 0)) or None
        made = making.compile_all(wanted, level, package=package, seconds=seconds)
        good = [one for one in made if not one.error]
        for one in made:
            if one.error:
                self.app.display_warning(f"left out: {one.loop}: {one.error}")
        if not good:
            raise RuntimeError("none could be compiled")
        path = folder / store.file_name(level)
        rows = ((one.loop, one.key, one.payload) for one in good)
        n = store.write(path, level, rows, package)
        size = path.stat().st_size / 1e6
        return path, f"{n} of {len(wanted)} loops compiled for {level}, {size:.1f} MB,"
