"""What holds for every test of the screen: how slow the machine is does not decide whether a hint still stands there."""

from __future__ import annotations

import pytest

from lgwatch.tui.chrome import Chrome


@pytest.fixture(autouse=True)
def lasting_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    say = Chrome.say
    monkeypatch.setattr(Chrome, "say", lambda chrome, text, seconds: say(chrome, text, float("inf")))
