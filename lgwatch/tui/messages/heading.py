"""The first row of a block in the token pane: whose message it is, and its figures, as many as there is room for."""

from __future__ import annotations

from lgwatch.records import Message
from lgwatch.tui.lines.rows import Row
from lgwatch.tui.lines.signs import amount, fit, glyph, node_style, seconds

_ROLES = {"human": "human", "system": "system", "tool": "tool result", "ai": ""}
USUAL = ("stop", "end_turn", "tool_calls", "tool_use", "STOP")
"""Reasons to stop that are no news."""
NO_USAGE = "usage not reported (set stream_usage=True)"
"""What stands where a call that streamed told no usage."""
WHY_NO_USAGE = "not reported: many endpoints tell the usage of a call that streams only when asked to: set stream_usage=True on the model"


def heading(
    message: Message,
    attempt: int,
    now: float,
    width: int,
    *,
    agent: str = "",
    under_call: bool = False,
    in_column: bool = False,
) -> Row:
    """Return the row; `attempt` is the number of its node's attempt, `agent` names the tool call that the node works in,
    `under_call` says that the result stands elsewhere, `in_column` that the node is named above."""
    state = message.status if message.finished else "running"
    sign, style = glyph("ok" if state == "done" else state, now)
    path = message.path or message.name or "?"
    left: Row = [(f"{sign} ", style)]
    left.append((f"s{message.step}", "dim") if in_column else (path, f"bold {node_style(message.path)}"))
    if agent:
        left.append((f" {agent}", "tool"))
    if attempt > 1:
        left.append((f" ×{attempt}", "warn"))
    if role := _ROLES.get(message.role, message.role):
        left.append((f" {role}", "tool" if message.role == "tool" else "dim"))
    if message.role == "tool" and message.name:
        left.append((f" {message.name}", "tool"))
    if message.repeats:
        left.append((" ↻ said again", "dim"))
    if under_call:
        left.append((" ↑ under its call", "dim"))
    if message.status in ("failed", "cut") and message.finished:
        left.append((" broke off" if message.status == "cut" else f" failed {_error(message)}".rstrip(), "error"))
    if (reason := finish_reason(message)) and reason not in USUAL:
        left.append((f" {reason}", "warn"))
    if message.model and width >= (24 if in_column else 44):
        left.append((f"  {message.model}", "dim"))
    left += [(f" #{tag}", "accent") for tag in message.tags if width >= (30 if in_column else 40)]
    return fit(left, _figures(message, now, width, in_column=in_column), width)


def chat_heading(message: Message, thread: str, width: int) -> Row:
    """Return the row above what a user of the chat sees: who speaks, and, for who watches, which node of which thread."""
    who = ("ai", "title") if message.role == "ai" else (message.role, "bold info")
    left: Row = [who, ("" if message.finished else " …", "accent")]
    about = [message.path, f"s{message.step}", f"thread {thread[:8]}" if thread and width >= 60 else ""]
    return fit(left, [("  ".join(filter(None, about)), "faint")], width)


def finish_reason(message: Message) -> str:
    """Return why the model stopped, in the provider's word; empty where nobody said."""
    return message.span.finish if message.span is not None else ""


def _error(message: Message) -> str:
    """Return the name of the error that a call failed with."""
    error = message.span.error if message.span is not None else None
    return str((error or {}).get("type") or "")


def unreported(message: Message) -> bool:
    """Whether a call streamed to its end and told no usage."""
    return message.finished and message.status == "done" and bool(message.chunks) and not message.usage


def _figures(message: Message, now: float, width: int, *, in_column: bool) -> Row:
    """Step, time to first token, why it stopped, tokens, and tokens a second or for how long there was none."""
    if message.whole and not message.usage:
        return [] if in_column else [(f"s{message.step}", "faint")]
    figures: Row = []
    if width >= 70 and not in_column:
        figures.append((f"s{message.step}  ", "faint"))
    wait = message.first_token_after()
    if wait is not None and width >= 60:
        figures.append((f"first {seconds(wait)}  ", "dim"))
    reason = finish_reason(message)
    if reason in USUAL and width >= 110:
        figures.append((f"{reason}  ", "faint"))
    figures.append((_tokens(message, width), "dim"))
    rate = message.rate(now)
    if silent := message.silent(now):
        figures.append((f"  silent {seconds(silent)}", "warn"))
    elif rate and width >= 50:
        figures.append((f"  {rate:.0f}/s", "accent" if not message.finished else "dim"))
    return [(text, style) for text, style in figures if text]


def _tokens(message: Message, width: int) -> str:
    if unreported(message):
        return NO_USAGE if width >= 110 else "usage not reported" if width >= 70 else "no usage"
    tokens, reported = message.tokens
    if not message.usage:
        return f"~{amount(tokens)} tok" if tokens else ""
    given, taken = message.usage.get("input_tokens"), message.usage.get("output_tokens")
    before = f"↑{amount(given)} ↓" if isinstance(given, int) and width >= 60 else ""
    told = reported or isinstance(taken, int)
    return f"{before}{'' if told else '~'}{amount(tokens if reported or not told else 0)} tok"
