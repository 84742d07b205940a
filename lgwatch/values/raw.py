"""What a class is and what a string says, read past everything that a class or its metaclass may override."""

from __future__ import annotations

from itertools import repeat
from operator import is_
from typing import Any

from lgwatch.values.limits import HEAD

mro = type.__dict__["__mro__"].__get__
namespace = type.__dict__["__dict__"].__get__
_name = type.__dict__["__name__"].__get__
_module = type.__dict__["__module__"].__get__
qualname = type.__dict__["__qualname__"].__get__


def raw(cls: type, name: str) -> Any:
    """Return a class attribute as it stands in the class: no descriptor, no metaclass has a say."""
    for base in mro(cls):
        attributes = namespace(base)
        if name in attributes:
            return attributes[name]
    return None


def inherits(cls: type, base: type) -> bool:
    """Tell whether a class has another one, or itself, among its bases."""
    return any(map(is_, mro(cls), repeat(base)))


def name_of(cls: type) -> str:
    """Return the name of a class."""
    return visible(str.__str__(_name(cls))[:HEAD])


def module_of(cls: type) -> str:
    """Return the name of the module of a class, or an empty string."""
    module = _module(cls)
    return module if type(module) is str else ""


def is_unicode(text: str) -> bool:
    """Tell whether UTF-8 has this text, which is so unless it holds lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def visible(text: str) -> str:
    """Return the text with lone surrogates, which no UTF-8 has, as backslash escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
