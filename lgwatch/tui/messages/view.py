"""MessageView: scrolls through messages and knows which one is meant; its keys fold, unfold and regroup them."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage

from lgwatch.tui.lines.told import Told
from lgwatch.tui.lines.view import LineView
from lgwatch.tui.messages.blocks import GROUPS, MessageBlocks
from lgwatch.tui.messages.flow import Block, Level, Wrapped

LEVELS = {
    Level.HEADER: "headers only", Level.START: "the beginning of each block", Level.BODY: "all but reasoning and prompts",
    Level.ALL: "everything",
}  # fmt: skip
BY = {"call": "a block per call", "node": "a column per node", "stream": "one stream, as a user of the chat sees it"}


class MessageView(LineView):
    """Scrolls through blocks; one of them is the current one: the one that was picked as long as it is in view, else
    the one that stands where the scrollbar's thumb does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left_curly_bracket", "jump(-1)", "Previous", show=False, id="tokens.previous", tooltip="Previous message"
        ),
        Binding("right_curly_bracket", "jump(1)", "Next", show=False, id="tokens.next", tooltip="Next message"),
        Binding(
            "enter", "fold", "Fold", show=False, id="tokens.fold", tooltip="Fold the message to a line, or unfold it"
        ),
        Binding(
            "less_than_sign", "level(-1)", "Less", show=False, id="tokens.less", tooltip="Show less of all messages"
        ),
        Binding(
            "greater_than_sign",
            "level(1)",
            "More",
            show=False,
            id="tokens.more",
            tooltip="Show more of all messages: lines, beginnings, bodies, reasoning and prompts too",
        ),
        Binding("M", "markdown", "Markdown", show=False, id="tokens.markdown", tooltip="Finished messages as markdown"),
        Binding(
            "v",
            "group",
            "Group",
            show=False,
            id="tokens.group",
            tooltip="A block per call, a column per node, or one stream",
        ),
    ]

    class Regrouped(TextualMessage):
        """The blocks are other ones: the pane must be shown anew."""

    def __init__(self, blocks: MessageBlocks) -> None:
        super().__init__(blocks.rows, tail=True)
        self._blocks = blocks
        self._picked: Block | None = None
        self._pointed = False  # lit without having the keys: it was selected elsewhere

    @property
    def flow(self) -> Wrapped:
        """The messages that it scrolls through."""
        assert isinstance(self.rows, Wrapped)
        return self.rows

    @property
    def current(self) -> Block | None:
        """The block that enter and y are about; None when there is none."""
        rows, count, height = self.flow, len(self.rows), self.size.height
        if not count:
            return None
        if self._picked is not None and self._in_view(self._picked):
            return self._picked
        if count <= height:
            return rows.block_at(count - 1)
        return rows.block_at(self.top + (height - 1) * self.top // (count - height))

    def _in_view(self, block: Block) -> bool:
        rows = self.flow
        first = rows.first_row(block)
        if first is None or first >= self.top + self.size.height:
            return False
        return first >= self.top or rows.block_at(self.top) is block

    def _update(self) -> None:
        super()._update()
        if self._means() and self._blocks.choose(self.current if self.has_focus or self._pointed else None):
            super()._update()

    def _means(self) -> bool:
        """Whether it says which message is meant: of several views, one does."""
        return True

    def scroll_rows(self, top: int) -> None:
        """Scroll; what was picked before is no longer meant."""
        self._picked = None
        super().scroll_rows(top)

    def action_first(self) -> None:
        """Go to the first message."""
        super().action_first()
        self._pick(self.flow.block_at(0))

    def follow(self) -> None:
        """Go to the end, and to what is being said there."""
        self._picked, self._pointed = None, False
        super().follow()

    def action_jump(self, step: int) -> None:
        """Go to the previous or next message."""
        rows, current = self.flow, self.current
        if current is None:
            return
        first = rows.first_row(current) or 0
        if step < 0:
            target = rows.block_at(first - 2) if first > 1 else current
        else:
            target = rows.block_after(current) or current
        if target is not None:
            self._go_to(target)
            self.post_message(self.Moved(self, self.flow.first_row(target) or 0))

    def point_at(self, message: str) -> bool:
        """Go to a message, by its id, that was selected elsewhere, and light it; return whether it is shown here."""
        block = next((block for block in self.flow.blocks if block.key == message), None)
        if block is None or self.flow.first_row(block) is None:
            return False
        self._pointed = True
        self._go_to(block)
        return True

    def _go_to(self, block: Block) -> None:
        first = self.flow.first_row(block) or 0
        last = self.flow.last_row(block)
        if first < self.top or last >= self.top + self.size.height:
            self.scroll_rows(first if first < self.top else min(first, last - self.size.height + 1))
        self._pick(block)

    def _pick(self, block: Block | None) -> None:
        self._picked = block
        self._update()

    def action_fold(self) -> None:
        """Fold the current message to its header, or show all of it; while a question is open the key answers."""
        block = self.current
        if block is None or self.screen.has_class("-asking"):
            self.action_choose()
            return
        self.flow.unfold(block, Level.ALL if block.level < Level.BODY else Level.HEADER)
        self._picked = block
        self._update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Shift nothing sideways: what is wrapped has nothing at its right."""
        return action != "shift" and super().check_action(action, parameters)

    def show_all(self) -> None:
        """Show all messages as they are now."""
        self.show()

    def action_level(self, step: int) -> None:
        """Show less or more of every message."""
        level = self._blocks.show_level(step)
        self.show_all()
        self.post_message(Told(f"shown: {LEVELS[level]}"))

    def action_markdown(self) -> None:
        """Show finished messages as markdown, or plain again."""
        on = self._blocks.turn_markdown()
        self.show_all()
        self.post_message(Told("finished messages are markdown" if on else "messages are plain text"))

    def action_group(self) -> None:
        """Show a block per call, a block per node, or one stream."""
        group = GROUPS[(GROUPS.index(self._blocks.group) + 1) % len(GROUPS)]
        self._picked = None
        self._blocks.show_by(group)
        self.post_message(Told(f"grouped: {BY[group]}"))
        self.post_message(self.Regrouped())

    def _arrive(self, index: int) -> None:
        if self._search is not None:  # what is found in folded text is unfolded
            index = self.flow.uncover(index, self._search.text)
            self._update()
        super()._arrive(index)
        self._pick(self.flow.block_at(index))

    def on_click(self, event: events.Click) -> None:
        """Pick the message that was clicked on; a double click opens it."""
        event.prevent_default()  # what a view does with a click is done below
        if (index := self.top + event.y) < len(self.rows):
            self._pick(self.flow.block_at(index))
            self.post_message(self.Moved(self, index))
        super().on_click(event)
