"""What mkdocs does to the pages beyond showing them: the API out of docstrings, and links that leave the folder.

The pages are read in the repository too, where a link may lead to any file of it; on the site such a link is text. `api.md`
gets every public class and function of the installed linjin, so that the page cannot differ from `help()`.
"""

import inspect
import re

import linjin
import linjin.annoy
import linjin.langchain
import linjin.sklearn

MARK = "<!-- api -->"
# The line that leads to the other language; the site has a switch for that.
LANGUAGE = r"^\[(?:English|正體中文)\]\([\w.-]+\)$"


def on_page_markdown(markdown, page, **_):
    """The page as the site shows it."""
    markdown = re.sub(LANGUAGE, "", markdown, flags=re.M)
    markdown = re.sub(r"\[([^\]]+)\]\((?:\.\./)+[^)]*\)", r"\1", markdown)
    return markdown.replace(MARK, api()) if MARK in markdown else markdown


def api():
    """Everything public, as Markdown: classes, functions, errors, constants."""
    public = {name: getattr(linjin, name) for name in linjin.__all__ if not inspect.ismodule(getattr(linjin, name))}
    things = [thing for thing in public.values() if callable(thing)]
    # As they are met, not by their names.
    things.sort(key=lambda thing: (is_error(thing), not inspect.isclass(thing), thing is not linjin.Index))
    parts = [section("linjin", thing, 2) for thing in things]
    constants = [f"- `linjin.{name}` = {value}" for name, value in public.items() if isinstance(value, int | float)]
    parts.append("## Constants\n\n" + "\n".join(constants))
    parts.append("## linjin.annoy\n\n" + inspect.getdoc(linjin.annoy))
    parts.append(section("linjin.annoy", linjin.annoy.install, 3))
    parts.append(section("linjin.annoy", linjin.annoy.AnnoyIndex, 3, "AnnoyIndex"))
    for module, thing in [(linjin.sklearn, linjin.sklearn.LinjinTransformer), (linjin.langchain, linjin.langchain.LinjinVectorStore)]:
        parts.append(f"## {module.__name__}\n\n{inspect.getdoc(module)}")
        parts.append(section(module.__name__, thing, 3))
    return "\n\n".join(parts)


def is_error(thing):
    """Whether it is a class of exceptions."""
    return inspect.isclass(thing) and issubclass(thing, Exception)


def section(module, thing, level, name=None):
    """A class with its methods and properties, or a function."""
    name = name or thing.__name__
    lines = [f"{'#' * level} {module}.{name}", *body(thing, f"{module}.{name}")]
    if not inspect.isclass(thing) or is_error(thing):
        return "\n\n".join(lines)
    # Without what it only inherits from another library.
    ours = [vars(base) for base in thing.__mro__ if base.__module__.split(".")[0] == "linjin"]
    for attribute in sorted(name for name in set().union(*ours) if not name.startswith("_")):
        member = getattr(thing, attribute)
        lines += [f"{'#' * (level + 1)} {name}.{attribute}", *body(member, attribute)]
    return "\n\n".join(lines)


def body(thing, name):
    """The signature, where there is one, and the docstring."""
    found = []
    if callable(thing) and not is_error(thing):
        signature = re.sub(r"\(\$?self(, /)?(, )?", "(", str(plain(inspect.signature(thing))))
        found.append(f"```text\n{name}{signature}\n```")
    return [*found, inspect.getdoc(thing)]


class Plain(str):
    """An annotation that shows without the quotes of a string."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


def plain(signature):
    """The signature with annotations as they were typed."""

    def bare(annotation):
        return Plain(annotation) if isinstance(annotation, str) else annotation

    parameters = [it.replace(annotation=bare(it.annotation)) for it in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=bare(signature.return_annotation))
