"""Make the recordings: run each sample graph without a screen and keep its journal for the tests and the pictures.

    python screenshots/record.py [NAME …]        into tests/recordings/NAME.jsonl

They are real runs at the samples' own pace. Only what tells of this machine is taken out: the checkout's place and the
process id. Answers stand in ANSWERS; what has some is recorded twice, waiting and answered.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from lgwatch.events import Interrupted, Json, RunEnded  # noqa: E402  the checkout's own package, wherever this is started
from lgwatch.live import Launch, LiveRun  # noqa: E402
from lgwatch.samples import Sample, samples  # noqa: E402
from lgwatch.sources import RunRequest  # noqa: E402

RECORDINGS = ROOT / "tests" / "recordings"
ANSWERS: dict[str, Sequence[Json]] = {"approval": ("shorter, and friendlier", "approve")}
LIMITS = {"endless": 12}
"""Recursion limits of graphs that never end."""
PATIENCE = 120.0
"""Seconds after which a run is given up."""


def record(sample: Sample, journal: Path, answers: Sequence[Json] = ()) -> str:
    """Run a sample, give it the answers in their order, and return how it ended."""
    live = LiveRun(
        Launch(
            target=f"{sample.path.relative_to(ROOT)}:graph",
            label=f"{sample.name}:graph",
            journal=journal,
            python=sys.executable,
            app_dir=ROOT,
        )
    )
    request = RunRequest(
        input=sample.example, has_input=True, thread="4f192bba", recursion_limit=LIMITS.get(sample.name)
    )
    left, asked, status = list(answers), [], ""
    deadline = time.monotonic() + PATIENCE
    try:
        live.start(request)
        while not live.finished and time.monotonic() < deadline:
            for event in live.poll():
                if isinstance(event, Interrupted):
                    asked.append(event.interrupt)
                elif isinstance(event, RunEnded):
                    status = event.status
                    if status != "interrupted" or not left:
                        return status
                    live.resume({one: left.pop(0) for one in asked})
                    asked.clear()
            time.sleep(0.02)
    finally:
        live.close()
    return status or "nothing: it took too long"


def without_this_machine(text: str) -> str:
    """Return a journal without the places and numbers of the machine that it was made on."""
    header, _, events = text.partition("\n")
    facts = {key: value for key, value in json.loads(header).items() if key not in ("pid", "interpreter")}
    events = events.replace(f"{ROOT}/", "").replace(str(Path(sys.prefix)), "/venv").replace(str(Path.home()), "~")
    return json.dumps(facts, separators=(",", ":")) + "\n" + events


def main(names: list[str]) -> None:
    """Record the named samples, or all."""
    os.chdir(ROOT)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        os.environ.pop(name, None)
    for sample in samples():
        ways = [(sample.name, ())]
        if sample.name in ANSWERS:
            ways.append((f"{sample.name}-answered", ANSWERS[sample.name]))
        for name, answers in ways:
            if names and name not in names:
                continue
            with tempfile.TemporaryDirectory() as folder:
                journal = Path(folder) / "run.jsonl"
                status = record(sample, journal, answers)
                text = without_this_machine(journal.read_text(encoding="utf-8"))
            target = RECORDINGS / f"{name}.jsonl"
            target.write_text(text, encoding="utf-8")
            target.chmod(0o644)
            print(f"{name:<20} {status:<12} {len(text) // 1000:>4} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
