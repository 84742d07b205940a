"""The themes: each can be read, and one is chosen by the environment."""

from __future__ import annotations

import pytest
from textual.color import Color

from lgwatch.tui.theme import DARK, LIGHT, chosen
from tests.factories import run
from tests.tui.stage import played


def luminance(colour: str) -> float:
    """As the guidelines for accessible pages count it."""
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in Color.parse(colour).normalized
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", ["primary", "secondary", "accent", "warning", "error", "success", "foreground"])
def test_every_colour_can_be_read_on_the_ground(theme, name):
    for ground in (theme.background, theme.surface, theme.boost):
        dark, light = sorted((luminance(getattr(theme, name)), luminance(ground)))
        assert (light + 0.05) / (dark + 0.05) >= 4.0, ground


@pytest.mark.parametrize(
    ("asked", "name"), [("", "lgwatch"), ("light", "lgwatch-light"), ("nord", "nord"), ("nothing", "lgwatch")]
)
async def test_the_environment_chooses(monkeypatch, tmp_path, asked, name):
    monkeypatch.setenv("LGWATCH_THEME", asked)
    app = played(tmp_path, run())
    assert app.theme == name
    assert chosen(app.available_themes) == name
