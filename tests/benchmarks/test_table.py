import pytest

from tests.benchmarks.measure import Measure, number
from tests.benchmarks.table import chosen, compared, document, markdown


def table(*rows, **failed):
    return document(rows, failed, 0.5)


def row(value, bound=10, what="a key", name="screen.keys", **more):
    return Measure(what, value, bound, "ms", name=name, **more)


def lines(before, now):
    return "\n".join(compared(before, now))


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0"), (3, "3"), (0.0471, "0.047"), (1.254, "1.25"), (44.71, "44.7"), (23514.2, "23514")]
)
def test_a_number_is_told_with_the_digits_that_mean_something(value, told):
    assert number(value) == told


def test_a_row_tells_its_bound_and_whether_it_holds():
    assert row(7).holds
    assert "≤ 10     holds" in str(row(7))
    assert row(11).holds is False
    assert "MISSED" in str(row(11))
    assert row(11, bound=None).holds is None


def test_a_row_tells_what_the_naive_way_took():
    assert str(row(7, naive=23514.2, naive_is="RichLog")).endswith("23514 ms  RichLog")


def test_a_group_is_all_its_benches_and_no_name_means_all():
    benches = {"runner.steps": 1, "runner.sends": 2, "screen.idle": 3}
    assert set(chosen(benches, ["runner"])) == {"runner.steps", "runner.sends"}
    assert set(chosen(benches, ["screen.idle", "runner.steps"])) == {"runner.steps", "screen.idle"}
    assert set(chosen(benches, [])) == set(benches)
    with pytest.raises(KeyError, match="nothing"):
        chosen(benches, ["nothing"])


def test_a_table_as_json_says_when_and_where_and_what_holds():
    made = table(row(7), row(11))
    assert [each["holds"] for each in made["rows"]] == [True, False]
    assert {"cores", "processor", "python", "langgraph", "textual"} <= set(made["machine"])


def test_markdown_has_what_is_bounded_or_compared_and_nothing_of_the_machine_but_its_kind():
    import platform

    told = "\n".join(markdown(table(row(7), row(3, None, "p50"), row(12, None, "stock", naive=99, naive_is="a Tree"))))
    assert "| a key | 7 ms | 10 ms | yes |  |" in told
    assert "| stock | 12 ms |  |  | 99 ms (a Tree) |" in told
    assert "p50" not in told
    assert platform.node() not in told


def test_what_changed_against_an_earlier_table_is_told_and_noise_is_not():
    told = lines(table(row(7), row(8, what="a jump")), table(row(7.5), row(4, what="a jump")))
    assert "better" in told
    assert "a jump" in told
    assert "a key" not in told


def test_a_bound_that_no_longer_holds_is_told_however_small_the_difference():
    assert "now MISSED" in lines(table(row(9.9)), table(row(10.1)))


def test_rows_that_are_new_or_gone_are_told_but_not_those_of_benches_that_did_not_run():
    before = table(row(1, what="old"), row(1, what="of another bench", name="drawing.layouts"))
    told = lines(before, table(row(1, what="young")))
    assert "new" in told
    assert "young" in told
    assert "gone" in told
    assert "of another bench" not in told


def test_another_machine_is_told():
    now = table(row(1))
    before = {**now, "machine": {**now["machine"], "cores": 64}}
    assert "another machine" in lines(before, now)
    assert "another machine" not in lines(now, now)
