"""The switch of languages: it keeps the page.

English lies at the root of the site, other languages in a folder each. A build of English
alone (`python -m sphinx docs docs/_build`) has no switch, for it would lead nowhere;
`python docs/build.py` names all languages to every build.
"""

from __future__ import annotations

from typing import Any

# Sphinx's name of the language: (folder of the site, its own name)
LANGUAGES = {"en": ("", "English"), "ja": ("ja/", "日本語"), "zh_TW": ("zh-Hant/", "繁體中文")}


def switch(app: Any, pagename: str, templatename: str, context: dict[str, Any], doc: Any) -> None:
    """Give the template a link to the same page in each language that is built."""
    built = [name for name in app.config.site_languages.split(",") if name in LANGUAGES]
    here = app.config.language
    up = "../" * (pagename.count("/") + (here != "en"))
    page = pagename + ".html"
    context["site_languages"] = [
        (name.replace("zh_TW", "zh-Hant"), LANGUAGES[name][1], up + LANGUAGES[name][0] + page)
        for name in built
    ]
    context["site_language"] = here.replace("zh_TW", "zh-Hant")


def setup(app: Any) -> dict[str, Any]:
    """Register."""
    app.add_config_value("site_languages", "", "html", str)
    app.connect("html-page-context", switch)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
