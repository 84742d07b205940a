"""The filter language: what it asks (`fields`), what it means (`terms`), how it is read (`grammar`).

`narrow` and `mix` write a filter anew for a choice on the screen; `kept` tells which events of a session one keeps.
"""

from lgwatch.filter.fields import FIELDS, Field
from lgwatch.filter.grammar import parse, parse_terms, quoted
from lgwatch.filter.terms import Filter, Term, Value, starred

__all__ = ["FIELDS", "Field", "Filter", "Term", "Value", "parse", "parse_terms", "quoted", "starred"]
