"""How Sphinx makes the site: ``tox -e docs``, or ``sphinx-build -c docs . build/site`` in the top folder.

Its source is the whole repository, so that a page links to a plugin's README or to a test as it does in the repository,
and each page is a file that reads well there too.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ROOT = Path(__file__).parents[1]

project = "devinotify"
author = copyright = "the authors of devinotify"  # noqa: A001 - Sphinx's name for it
release = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "plugins/*.md", "plugins/*/README.md", "*.md"]
exclude_patterns = [".*", "build", "dist", "src", "tests", "**/.tox", "**/.venv", "**/node_modules"]
templates_path = ["_templates"]

# Headings have the anchors that they have in the repository.
myst_heading_anchors = 6
myst_enable_extensions = ["fieldlist"]

# The signature says the types; the text need not say them again.
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autodoc_preserve_defaults = True
add_module_names = False

# What a docstring refers to has to be there; the types of a signature are named, and need no page each.
nitpicky = True
nitpick_ignore_regex = [("py:class", ".*"), ("py:meth", r"PluginManager\..*")]

html_theme = "furo"
html_title = "devinotify"
html_additional_pages = {"index": "start.html"}
html_copy_source = False
html_show_sphinx = False

_LISTS = re.compile(r"docs/(index|how-to/hosts|reference/api|\w\w/index)")
"""The pages whose own links make the site's contents; each language may have a first page of its own."""

_LINK = re.compile(r"\]\((?!\w+:|\.\./(?:index|reference/|explanation/))([^)#]+)\.md\)")
"""To a page of the site, but not up to a first page, nor to what another language's contents have."""


def contents(text: str) -> str:
    """Return the tables of contents that a page's own links make: of what stands first, and of each heading."""
    parts = []
    for number, section in enumerate(re.split(r"^## ", text, flags=re.MULTILINE)):
        heading, _, body = section.partition("\n")
        caption = f":caption: {heading.partition(':')[0]}\n" if number else ""
        if pages := dict.fromkeys(_LINK.findall(body)):
            parts.append("\n".join(["```{toctree}", f":hidden:\n{caption}", *pages, "```\n"]))
    return "\n".join(parts)


def _add_contents(_: Sphinx, name: str, source: list[str]) -> None:
    if _LISTS.fullmatch(name):
        source[0] += "\n" + contents(source[0])


def setup(app: Sphinx) -> None:
    """Have Sphinx make the contents, and show what a program prints on stderr as it is."""
    app.connect("source-read", _add_contents)
    app.add_lexer("stderr", TextLexer)
