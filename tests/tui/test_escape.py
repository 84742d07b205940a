import selectors

from textual import constants
from textual.drivers import linux_driver

from lgwatch.tui.escape import quick_escape


def test_after_each_input_the_driver_looks_once_more_as_soon_as_an_escape_can_be_told(monkeypatch):
    monkeypatch.setattr(linux_driver, "selectors", selectors)
    monkeypatch.setattr(constants, "ESCAPE_DELAY", 0.015)
    waits = []

    def select(self, timeout=None):
        waits.append(timeout)
        return ["input"] if len(waits) == 2 else []

    monkeypatch.setattr(selectors.SelectSelector, "select", select)
    quick_escape()
    quick_escape()
    selector = linux_driver.selectors.SelectSelector()
    for _ in range(4):
        selector.select(0.1)
    assert waits == [0.1, 0.1, 0.016, 0.1]
    assert linux_driver.selectors.EVENT_READ == selectors.EVENT_READ
