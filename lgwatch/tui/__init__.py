"""The screen: the only package that imports textual."""

from __future__ import annotations

import os

# Textual reads this when it is imported: a paint waits for the next frame, and data comes at half this rate anyway.
os.environ.setdefault("TEXTUAL_FPS", "120")
