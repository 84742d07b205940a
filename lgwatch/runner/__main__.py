"""The entry of the graph's process: private descriptors first, user code after. Started as a file or with `-m`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if __package__ in {None, ""}:
    # Started by path, so that nothing of the watcher's environment comes onto the path of the user's imports: the
    # package is taken from where this file is, and the file's own folder leaves the path again.
    _here = Path(__file__).resolve().parent
    _package = _here.parent
    sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != _here]
    _spec = importlib.util.spec_from_file_location(
        "lgwatch", _package / "__init__.py", submodule_search_locations=[str(_package)]
    )
    if _spec is None or _spec.loader is None:
        raise SystemExit("lgwatch is not where this file is")
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["lgwatch"] = _module
    _spec.loader.exec_module(_module)

if __name__ == "__main__":
    if sys.argv[1:] == ["account"]:
        from lgwatch.runner.account.process import main as take_account

        take_account()
    else:
        from lgwatch.runner.process import main

        main()
