"""Where templates come from, and the one Jinja2 environment that prints them.

Templates stand in ``templates/`` beside the package in a clone and inside the package in a wheel. A user's folder
may hold templates of the same relative names; those win, one by one. Templates only print: the views they are given
are flat and final, and an undefined name is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jinja2

from vmsgen.settings import shipped_templates


class TemplateError(Exception):
    """A template is missing or wrong; the text names the template, the line and what Jinja2 said."""


class Templates:
    """The templates of one build: the shipped ones, and above them those of the folder ``override``.

    Raises TemplateError from :meth:`render` and :meth:`text`.
    """

    def __init__(self, override: Path | None = None) -> None:
        self.override = override
        folders = [shipped_templates()] if override is None else [override, shipped_templates()]
        self._loader = jinja2.FileSystemLoader(folders, encoding="utf-8")
        self._plain = self._environment(autoescape=False)
        self._html = self._environment(autoescape=True)

    def _environment(self, *, autoescape: bool) -> jinja2.Environment:
        return jinja2.Environment(
            loader=self._loader,
            undefined=jinja2.StrictUndefined,
            autoescape=autoescape,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            newline_sequence="\n",
        )

    def render(self, name: str, /, **view: Any) -> str:
        """The template ``name`` (such as ``asn1/module.asn1.j2``) over ``view``. HTML templates escape what they
        print."""
        environment = self._html if name.endswith(".html.j2") else self._plain
        try:
            return environment.get_template(name).render(view)
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"template {error.name}: not found") from error
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"template {error.name}, line {error.lineno}: {error.message}") from error
        except jinja2.UndefinedError as error:
            raise TemplateError(f"template {name}: {error.message}") from error

    def text(self, name: str) -> str:
        """A file of the templates that is copied as it is."""
        try:
            source, _, _ = self._loader.get_source(self._plain, name)
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"template {name}: not found") from error
        return source.replace("\r\n", "\n")

    def finished(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Texts as they are written: Python that a template of somebody else's may have printed goes through black.

        (The shipped templates print what black leaves alone.) Raises TemplateError.
        """
        if not self._reformats:
            return dict(texts)
        return {path: _formatted(path, text) if path.endswith(".py") else text for path, text in texts.items()}

    @cached_property
    def _reformats(self) -> bool:
        return any(name.startswith("python/") for name in self.overridden())

    def overridden(self) -> frozenset[str]:
        """Names of the templates that the user's folder replaces."""
        if self.override is None:
            return frozenset()
        return frozenset(name for name in _names(self.override) if (shipped_templates() / name).is_file())

    def unknown(self) -> frozenset[str]:
        """Files of the user's folder that replace nothing: misspelt, or left from an older vmsgen."""
        if self.override is None:
            return frozenset()
        return frozenset(_names(self.override)) - self.overridden()

    def digest(self) -> str:
        """sha256 over the names and texts of every template as used, in hex."""
        total = hashlib.sha256()
        for name in sorted(_names(shipped_templates())):
            data = self.text(name).encode()
            total.update(f"{name}\0{len(data)}\0".encode())
            total.update(data)
        return total.hexdigest()


def _names(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
    ]


def _formatted(path: str, text: str) -> str:
    import black
    from black.parsing import InvalidInput

    try:
        return black.format_str(text, mode=black.Mode())
    except InvalidInput as error:
        raise TemplateError(f"{path}, made by a replaced template, is not Python: {error}") from error


@cache
def shipped() -> Templates:
    """The shipped templates alone."""
    return Templates()
