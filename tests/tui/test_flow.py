import random
import tracemalloc

import pytest

from lgwatch.tui.lines.text import wrap
from lgwatch.tui.messages.flow import CARET, Wrapped


def shown(rows, width=20):
    while rows.resize(width):
        pass
    return ["".join(text for text, _ in rows.row(index, width)) for index in range(len(rows))]


def titled(title):
    return lambda width: [(title, "title")]


def test_a_block_is_a_header_and_wrapped_text():
    rows = Wrapped()
    block = rows.add("a", titled("first"))
    rows.append(block, "the quick brown fox jumps over")
    rows.append(rows.add("b", titled("second")), "x")
    assert shown(rows) == ["first", "the quick brown fox", "jumps over", "", "second", "x"]


def test_text_that_grows_changes_only_its_last_row():
    rows = Wrapped()
    block = rows.add("a", titled("title"))
    rows.append(block, "the quick brown fox jumps")
    shown(rows)
    before = [rows.key(index) for index in range(len(rows))]
    rows.append(block, " over the lazy dog")
    shown(rows)
    after = [rows.key(index) for index in range(len(rows))]
    assert after[:2] == before[:2]
    assert after[2] != before[2]


def test_a_part_of_another_style_begins_a_row():
    rows = Wrapped()
    block = rows.add("a")
    rows.append(block, "hm", "reasoning")
    rows.append(block, "hm", "reasoning")
    rows.append(block, "so", "")
    rows.append(block, "{", "tool", part=1)
    rows.append(block, "{", "tool", part=2)
    rows.resize(20)
    assert [rows.row(index, 20) for index in range(len(rows))] == [
        [("hmhm", "reasoning")], [("so", "")], [("{", "tool")], [("{", "tool")],
    ]  # fmt: skip


def test_an_open_block_has_a_caret_until_it_is_finished():
    rows = Wrapped()
    block = rows.add("a")
    rows.mark(block, open=True)
    rows.append(block, "one\ntwo\n")
    assert shown(rows) == ["one", "two" + CARET]
    key = rows.key(1)
    rows.mark(block, open=False)
    assert shown(rows) == ["one", "two"]
    assert rows.key(1) != key


def test_a_folded_block_is_its_header():
    rows = Wrapped()
    block = rows.add("a", titled("title"))
    rows.append(block, "one\ntwo")
    rows.mark(block, folded=True)
    assert shown(rows) == ["title"]
    rows.mark(block, folded=False)
    assert shown(rows) == ["title", "one", "two"]


def test_blocks_can_be_left_out_and_come_back():
    rows = Wrapped()
    blocks = [rows.add(name, titled(name)) for name in "abc"]
    rows.keep(lambda block: block.key != "b")
    for block in blocks:
        rows.append(block, f"text of {block.key}")
    assert shown(rows) == ["a", "text of a", "", "c", "text of c"]
    rows.keep(None)
    assert shown(rows) == ["a", "text of a", "", "b", "text of b", "", "c", "text of c"]


def test_a_reader_stays_at_the_text_when_the_width_changes():
    rows = Wrapped()
    for name in "abc":
        rows.append(rows.add(name, titled(name)), " ".join(f"{name}{number}" for number in range(200)))
    shown(rows, 40)
    key = rows.key(25)
    text = rows.row(25, 40)[0][0].split()[0]
    shown(rows, 17)
    assert text in rows.row(rows.index_of(key), 17)[0][0]


def test_a_reader_stays_at_the_text_when_a_block_above_grows():
    rows = Wrapped()
    first, second = rows.add("a", titled("a")), rows.add("b", titled("b"))
    rows.append(second, "one\ntwo\nthree")
    shown(rows)
    index = shown(rows).index("two")
    key = rows.key(index)
    rows.append(first, "more\n" * 7)
    assert shown(rows)[rows.index_of(key)] == "two"


def test_a_header_that_is_touched_has_another_key():
    rows = Wrapped()
    block = rows.add("a", titled("a"))
    key = rows.key(0)
    rows.touch(block)
    assert rows.key(0) != key


def test_oldest_blocks_can_be_dropped():
    rows = Wrapped()
    for name in "abc":
        rows.append(rows.add(name, titled(name)), name * 3)
    gone = rows.key(0)
    rows.drop(2)
    assert shown(rows) == ["c", "ccc"]
    assert rows.index_of(gone) is None


@pytest.mark.parametrize("step", [1, -1])
def test_searching_finds_the_same_rows_as_looking_at_each(step):
    rows = Wrapped()
    random.seed(3)
    for name in ("alpha", "beta", "gamma"):
        block = rows.add(name, titled(name))
        rows.append(block, " ".join(random.choices(["alpha", "x", "Beta", "longer"], k=60)))
    lines = shown(rows)
    for text in ("alpha", "Beta", "beta", "none"):
        fold = text == text.lower()
        for start in range(len(lines)):
            order = range(start, len(lines)) if step > 0 else range(start, -1, -1)
            expected = next((i for i in order if text in (lines[i].lower() if fold else lines[i])), None)
            assert rows.find(text, start, step, len(order), 20) == expected


def test_text_in_pieces_wraps_as_text_in_one():
    random.seed(5)
    for _ in range(30):
        rows = Wrapped()
        block = rows.add("a")
        for _ in range(40):
            rows.append(block, random.choice(["a", "word ", "你好", "\n", "  ", "x" * 12]))
            if random.random() < 0.5:
                rows.resize(10)
                len(rows)
        width = random.choice([10, 10, 7])
        assert len(rows) > 0  # takes in what was appended
        text = block.text
        expected = [text[start:end] for start, end in wrap(block.text, width)]
        if text.endswith("\n"):
            expected.pop()
        assert shown(rows, width) == expected


def test_a_reflow_of_much_text_comes_in_slices_and_ends_right():
    rows = Wrapped()
    for number in range(300):
        rows.append(rows.add(number, titled(str(number))), "你好 wide text " * 60)
    shown(rows, 50)
    assert rows.resize(31, rows.key(900))
    lines = shown(rows, 31)
    fresh = Wrapped()
    for number in range(300):
        fresh.append(fresh.add(number, titled(str(number))), "你好 wide text " * 60)
    assert lines == shown(fresh, 31)


def test_much_text_that_comes_at_once_is_wrapped_from_its_end_in_slices():
    rows = Wrapped(patience=0.0)
    for number in range(1000):
        rows.append(rows.add(number, titled(str(number))), f"the text of number {number} " * 20)
    rows.resize(50)
    assert len(rows) > 1000
    assert rows.blocks[-1].width == 50
    assert not rows.blocks[0].width
    last = shown(rows, 50)
    assert [line for line in last if line.isdigit()] == [str(number) for number in range(1000)]
    fresh = Wrapped()
    for number in range(990, 1000):
        fresh.append(fresh.add(number, titled(str(number))), f"the text of number {number} " * 20)
    assert last[-len(shown(fresh, 50)) :] == shown(fresh, 50)


def test_many_tokens_take_a_few_bytes_each():
    tracemalloc.start()
    try:
        rows = Wrapped()
        for number in range(50):
            block = rows.add(number, titled(str(number)))
            for _ in range(20):
                for _ in range(100):
                    rows.append(block, "token ")
                len(rows)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / 100_000 < 20
