"""What there is to look at of a run: its lines, and of one that failed, the error in its own words and who failed."""

from __future__ import annotations

from lgwatch.events import Json, error_text
from lgwatch.records import Run, Task
from lgwatch.tui.lines.pane import Subject

SOME = 20
"""Tasks of a step that are named."""


def run_subject(run: Run) -> Subject:
    """Return the page of a run: its start, its end, and before them how it failed."""
    seqs = tuple(seq for seq in (run.seq, run.end_seq) if seq is not None)
    return Subject(f"run {run.id}", seqs, sections=_ending(run))


def _ending(run: Run) -> dict[str, Json]:
    if not run.error:
        return {}
    failed = [task.path for task in run.tasks.values() if task.status == "failed"]
    told: dict[str, Json] = {"error": error_text(run.error), "failed": failed or "no task: the graph itself"}
    for name in ("hint", "traceback"):
        if run.error.get(name):
            told[name] = run.error[name]
    if not failed and (last := {task.path: _did(task) for task in _last_step(run)}):
        told["the last step"] = last
    return told


def _last_step(run: Run) -> list[Task]:
    """Return the tasks of the superstep in which, or after which, the run failed; of a wide one the first."""
    tasks = [task for task in run.tasks.values() if task.parent is None and task.step == run.step]
    return tasks[:SOME]


def _did(task: Task) -> str:
    wrote = f", wrote {', '.join(task.wrote)}" if task.wrote else ""
    return f"{task.status}{wrote}"
