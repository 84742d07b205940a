"""`python -m lgwatch` is `lgwatch`."""

from __future__ import annotations

from lgwatch.cli import main

if __name__ == "__main__":
    main()
