"""The site: `pip install -e ".[docs]" && python -m sphinx -W -n docs docs/_build`.

Nothing is fetched from another host, neither while the site is built nor while it is read.
`python docs/build.py` builds it in every language.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))
sys.path.insert(0, str(DOCS.parent / "src"))  # works without an installation, too
os.environ["PYTHONPATH"] = os.pathsep.join(
    p for p in (str(DOCS.parent / "src"), os.environ.get("PYTHONPATH", "")) if p
)  # for the kernels that run the cells of pages

import kiso  # noqa: E402

project = "kiso"
author = "the kiso developers"
copyright = "the kiso developers"  # noqa: A001
version = release = kiso.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "katex_math",  # those from here on lie in _ext
    "api_pages",
    "sklearn_tables",
    "languages",
    "verdicts",
]
root_doc = "index"
default_role = "literal"  # single backticks in docstrings
exclude_patterns = [
    "_build", "_cache", "_ext", "_templates", "locales", "images", "guide/_*.md",
    "gallery/**/*.ipynb", "gallery/**/*.py", "gallery/**/GALLERY_HEADER.rst",
    "gallery/sg_execution_times.rst", "jupyter_execute",
    "sg_execution_times.rst",
]  # fmt: skip
templates_path = ["_templates"]
nitpicky = True
nitpick_ignore_regex = [  # their own sites hold these
    (r"py:.*", r"(numpy|scipy|sklearn|pandas|matplotlib|joblib|threadpoolctl|dask|polars)\..*"),
]
pygments_style = "default"

# --- languages: texts are translated by catalogues in locales/<language>/LC_MESSAGES --------------
locale_dirs = ["locales"]
gettext_compact = False
gettext_uuid = False
gettext_location = False

# --- Markdown pages, whose cells run: a cell that raises stops the build --------------------------
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(DOCS / "_cache" / "cells")  # shared by all languages
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_number_source_lines = False

# --- API: one page for each public name, written by _ext/api_pages.py -----------------------------
autodoc_typehints = "none"  # the sections of the docstrings say it in words
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False
viewcode_line_numbers = True

# --- gallery: examples/ is its source -------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_.*\.py$",
    "ignore_pattern": r"(__init__|micro_kiso)\.py$",
    "image_scrapers": ("matplotlib",),
    "reset_modules": ("gallery.reset",),
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "download_all_examples": False,
    "abort_on_example_error": True,
    "only_warn_on_example_error": False,
    "thumbnail_size": (480, 320),
    "subsection_order": [
        f"../examples/{group}"
        for group in (
            "inference",
            "linear",
            "svm",
            "neighbors",
            "clustering",
            "decomposition",
            "trees",
            "optimisation",
            "networks",
            "images",
            "approximation",
            "comparison",
        )
    ],
    "within_subsection_order": "FileNameSortKey",
    "nested_sections": True,
    "doc_module": ("kiso",),
    "inspect_global_variables": True,
    "backreferences_dir": "gallery/backreferences",
    "prefer_full_module": (r"^kiso(\.[a-z]\w*)*\.\w+$",),
}
warnings.filterwarnings("ignore", message=".*non-interactive.*")

# --- looks ----------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "kiso"
html_math_renderer = "katex"
html_static_path = ["_static"]
html_css_files = ["kiso.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "kiso 基礎"},
    "navbar_align": "left",
    "navbar_end": ["language-switch", "theme-switcher"],
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "pygments_light_style": "tango",
    "pygments_dark_style": "github-dark",
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
    "back_to_top_button": False,
    "show_prev_next": True,
}
html_sidebars = {"index": []}
