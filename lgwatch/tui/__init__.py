"""The screen: the only package that imports textual."""

from __future__ import annotations

import os

# Textual reads these when it is imported. A paint waits for the next frame, and data comes at half this rate anyway.
os.environ.setdefault("TEXTUAL_FPS", "120")
# Milliseconds after which an escape is the key and not the beginning of another one's sequence; the default is 100.
os.environ.setdefault("ESCDELAY", "15")
