"""Markdown as rows of a width: read by markdown-it, cleaned like all text of a graph, and never an error.

What is too long, or made to take long, is shown as the plain text that it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.text import cell_len, clean, crop, wrap

LONG = 32_000
"""Characters above which a text stays plain."""
SIGNS = {"\n": 4_000, "|": 4_000}
"""Lines, and cells of tables, above which it does."""
DENSE = 250
"""Signs such as brackets in one paragraph above which they are shown as they are: pairing them takes the square of
their number."""
PAIRS = 500_000
"""What the squares may come to in the whole text."""
CODE = 16_000
"""Characters of code in one text that get colours."""

_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("inline")
_INLINE = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
_SIGNS = re.compile(r"[\[\]!*_~]")
_OPENING = {"em_open": "italic", "strong_open": "bold", "s_open": "strike", "link_open": "info underline"}
_HEADINGS = {"h1": "bold underline info", "h2": "bold info", "h3": "bold"}
_BAR = ("▎ ", "faint")


def markdown(text: str, width: int) -> list[Row]:
    """Return the rows of a markdown text, none of them wider than `width` cells."""
    width = max(width, 1)
    if len(text) <= LONG and all(text.count(sign) <= many for sign, many in SIGNS.items()):
        try:
            return [_fitted(row, width) for row in _Writer(width).write(_PARSER.parse(text))]
        except Exception:  # a text that the parser cannot take is still a text
            return plain(text, width)
    return plain(text, width)


def plain(text: str, width: int) -> list[Row]:
    """Return the rows of a text as it is."""
    return _wrapped([(text, "")], max(width, 1))


class _Writer:
    """Makes rows of one text's tokens."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[Row] = []
        self._margins: list[list[tuple[str, str]]] = []  # of each container: of its first row, then of the others
        self._lists: list[int | None] = []  # the next number of each list around; None for bullets
        self._due = False  # whether an empty row belongs before the next block
        self._code = CODE
        self._pairs = PAIRS

    def write(self, tokens: Sequence[Token]) -> list[Row]:
        """Return the rows."""
        position = 0
        while position < len(tokens):
            position = self._block(tokens, position)
        return self._rows

    def _block(self, tokens: Sequence[Token], position: int) -> int:
        """Write what begins at `position`; return where the next begins."""
        token = tokens[position]
        kind = token.type
        if kind == "table_open":
            end = next(i for i in range(position, len(tokens)) if tokens[i].type == "table_close")
            self._gap()
            self._table(tokens[position:end])
            self._due = True
            return end + 1
        if kind == "inline":
            style = _HEADINGS.get(tokens[position - 1].tag, "bold") if tokens[position - 1].tag[0] == "h" else ""
            self._text(self._spans(token.content, style))
        elif kind in ("paragraph_open", "heading_open"):
            if not token.hidden:
                self._gap()
        elif kind in ("paragraph_close", "heading_close"):
            self._due = not token.hidden
        elif kind in ("fence", "code_block"):
            self._gap()
            self._fence(token.content.removesuffix("\n"), (token.info.split() or [""])[0])
            self._due = True
        elif kind == "hr":
            self._gap()
            self._text([("─" * self._room(), "faint")])
            self._due = True
        else:
            self._container(token)
        return position + 1

    def _container(self, token: Token) -> None:
        kind = token.type
        if kind == "blockquote_open":
            self._gap()
            self._push(_BAR, _BAR)
        elif kind == "blockquote_close":
            self._pop()
            self._due = True
        elif kind in ("bullet_list_open", "ordered_list_open"):
            if not self._lists:
                self._gap()
            self._lists.append(int(token.attrs.get("start", 1)) if kind == "ordered_list_open" else None)
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
            self._due = not self._lists
        elif kind == "list_item_open":
            self._gap()
            number = self._lists[-1]
            sign = "• " if number is None else f"{number}. "
            self._push((sign, "accent"), (" " * len(sign), ""))
            if number is not None:
                self._lists[-1] = number + 1
        elif kind == "list_item_close":
            if len(self._margins[-1]) == 2:  # an empty item
                self._line([])
            self._pop()
        elif token.content:
            self._text([(token.content, "")])

    # --- rows ------------------------------------------------------------------------------------------------------

    def _push(self, first: tuple[str, str], rest: tuple[str, str]) -> None:
        """Begin a container; where half of the width is margin already, it gets none."""
        if cell_len(first[0]) > self._room() - max(self._width // 2, 1):
            first = rest = ("", "")
        # The first row's margin comes off when it was used: one entry is left, or it was the same from the start.
        self._margins.append([rest] if first == rest else [rest, first])

    def _pop(self) -> None:
        self._margins.pop()

    def _room(self) -> int:
        return self._width - sum(cell_len(margin[-1][0]) for margin in self._margins)

    def _line(self, row: Row) -> None:
        margins = [margin.pop() if len(margin) == 2 else margin[0] for margin in self._margins]
        self._rows.append([*(margin for margin in margins if margin[0]), *row])

    def _gap(self) -> None:
        if self._due and not any(len(margin) == 2 for margin in self._margins):
            self._rows.append([margin[0] for margin in self._margins if margin[0][0].strip()])
        self._due = False

    def _text(self, spans: Row) -> None:
        for row in _wrapped(spans, self._room()):
            self._line(row)

    def _spans(self, content: str, style: str) -> Row:
        """Return the spans of a paragraph: a newline is one, as whoever wrote it saw it."""
        signs = len(_SIGNS.findall(content))
        self._pairs -= signs * signs
        if signs > DENSE or self._pairs < 0:
            return [(content, style)]
        children = _INLINE.parseInline(content)[0].children or []
        return [span for span in _inline(children, style) if span[0]]

    def _fence(self, code: str, language: str) -> None:
        self._push(("│ ", "faint"), ("│ ", "faint"))
        if language:
            self._line([(crop(clean(language), self._room(), "…"), "dim")])
        if language and len(code) <= self._code:
            self._code -= len(code)
            self._text(_coloured(clean(code, newlines=True), language))
        else:
            self._text([(code, "")])
        self._pop()

    # --- tables ----------------------------------------------------------------------------------------------------

    def _table(self, tokens: Sequence[Token]) -> None:
        lines: list[list[Row]] = []
        sides: list[str] = []
        for token in tokens:
            if token.type == "tr_open":
                lines.append([])
            elif token.type == "th_open":
                sides.append(str(token.attrs.get("style", "")).rpartition(":")[2])
            elif token.type == "inline":
                lines[-1].append(self._spans(token.content, "bold" if len(lines) == 1 else ""))
        widths = _columns([[_width(cell) for cell in line] for line in lines], self._room() - 3 * (len(sides) - 1))
        if not widths:  # no room for columns
            for line in lines:
                self._text(list(chain.from_iterable([*cell, (" │ ", "faint")] for cell in line))[:-1])
            return
        for number, line in enumerate(lines):
            cells = [_wrapped(cell, width) for cell, width in zip(line, widths, strict=False)]
            for parts in zip_longest(*cells, fillvalue=[]):
                self._line(_joined(parts, widths, sides))
            if not number:
                self._line([("─┼─".join("─" * width for width in widths), "faint")])


def _columns(cells: list[list[int]], room: int) -> list[int]:
    """Return the width of each column, none when there is no room for them."""
    wanted = [max(column, default=1) or 1 for column in zip_longest(*cells, fillvalue=1)]
    if room < 4 * len(wanted):
        return wanted if sum(wanted) <= room else []
    widths = [0] * len(wanted)
    left, open_ = room, list(range(len(wanted)))
    while open_:
        share = left // len(open_)
        small = [number for number in open_ if wanted[number] <= share]
        for number in small or open_:
            widths[number] = min(wanted[number], share)
            left -= widths[number]
        open_ = [number for number in open_ if number not in small] if small else []
    return widths


def _joined(parts: Iterable[Row], widths: list[int], sides: list[str]) -> Row:
    row: Row = []
    for part, width, side in zip(parts, widths, sides, strict=False):
        space = width - _width(part)
        before = space if side == "right" else space // 2 if side == "center" else 0
        if row:
            row.append((" │ ", "faint"))
        row += [(" " * before, ""), *part, (" " * (space - before), "")]
    return [span for span in row if span[0]]


# --- inside a paragraph ----------------------------------------------------------------------------------------------


def _inline(children: Sequence[Token], style: str) -> Iterator[tuple[str, str]]:
    styles = [style]
    links: list[tuple[str, str]] = []  # address and text so far
    for token in children:
        text = token.content
        if token.type in _OPENING:
            styles.append(f"{styles[-1]} {_OPENING[token.type]}".strip())
            if token.type == "link_open":
                links.append((str(token.attrs.get("href", "")), ""))
            continue
        if token.type.endswith("_close") and len(styles) > 1:
            styles.pop()
            if token.type == "link_close" and links:
                address, said = links.pop()
                if said not in (address, address.removeprefix("mailto:")):
                    yield f" ({address})", "dim"
            continue
        if token.type in ("softbreak", "hardbreak"):
            text = "\n"
        elif token.type == "image":
            text = f"🖼 {text} ({token.attrs.get('src', '')})"
        if links:
            links[-1] = (links[-1][0], links[-1][1] + text)
        yield text, f"{styles[-1]} accent".strip() if token.type == "code_inline" else styles[-1]


# --- code ------------------------------------------------------------------------------------------------------------

_COLOURS = (
    ("Comment", "faint"), ("Keyword", "accent"), ("Literal.String", "ok"), ("Literal.Number", "warn"),
    ("Name.Function", "info"), ("Name.Class", "info"), ("Name.Decorator", "info"), ("Name.Tag", "accent"),
    ("Name.Attribute", "info"), ("Generic.Deleted", "removed"), ("Generic.Inserted", "added"),
)  # fmt: skip


def _coloured(code: str, language: str) -> Row:
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
        return [(text, _colour(str(kind))) for kind, text in lexer.get_tokens(code)]
    except Exception:  # a language that nobody knows, or a lexer that fails
        return [(code, "")]


def _colour(kind: str) -> str:
    kind = kind.removeprefix("Token.")
    return next((style for name, style in _COLOURS if kind.startswith(name)), "")


# --- widths ----------------------------------------------------------------------------------------------------------


def _width(row: Row) -> int:
    return sum(cell_len(clean(text)) for text, _ in row)


def _wrapped(spans: Row, width: int) -> list[Row]:
    """Return the rows that the spans take, cleaned."""
    cleaned = [(clean(text, newlines=True), style) for text, style in spans]
    text = "".join(span for span, _ in cleaned)
    rows: list[Row] = []
    number, begin = 0, 0  # the span that the row begins in, and where that span begins
    for start, end in wrap(text, max(width, 1)):
        row: Row = []
        while number < len(cleaned):
            span, style = cleaned[number]
            piece = span[max(start - begin, 0) : end - begin] if end > begin else ""
            if piece:
                row.append((piece, style))
            if begin + len(span) > end:
                break
            begin += len(span)
            number += 1
        rows.append(row)
    return rows


def _fitted(row: Row, width: int) -> Row:
    """Return the row, cut where it is wider than it may be: margins and marks in a very narrow pane."""
    if _width(row) <= width:
        return row
    fitted: Row = []
    for text, style in row:
        fitted.append((crop(text, width, ""), style))
        width -= cell_len(fitted[-1][0])
    return [span for span in fitted if span[0]]
