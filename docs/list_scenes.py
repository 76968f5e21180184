"""Write docs/lab.md's pages of scenes from the scenes themselves."""

from __future__ import annotations

from pathlib import Path

from kiso.lab import Scene, all_scenes
from kiso.lab.server import catalogue

PAGE = Path(__file__).with_name("lab.md")
BEGIN, END = "<!-- scenes -->\n", "<!-- end of scenes -->\n"


def section(scene: type[Scene], texts: dict[str, str]) -> str:
    """One scene: what it shows, its parameters, its tasks."""
    name = scene.name
    lines = [f"## {texts[f'{name}.title']}", "", texts[f"{name}.blurb"], ""]
    lines += [f"`kiso lab {name}` · rows {', '.join(map(str, scene.rows))} of the source notes", ""]
    lines += ["| parameter | what it is | default |", "|---|---|---|"]
    for control in scene.controls:
        default = control.default
        shown = ", ".join(map(str, default)) if isinstance(default, list) else str(default)
        about = texts[f"{name}.controls.{control.name}"].replace("|", "\\|")
        lines.append(f"| `{control.name}` | {about} | {shown} |")
    lines += ["", "Tasks:", ""]
    lines += [f"{i}. {texts[f'{name}.tasks.{t.key}']}" for i, t in enumerate(scene.tasks, 1)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    texts = catalogue("en")
    body = "\n".join(section(scene, texts) for scene in all_scenes())
    PAGE.write_text(before + BEGIN + "\n" + body + "\n" + END + after, "utf-8")
