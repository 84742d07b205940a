"""The program as people start it: options, exit codes, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

import lgwatch
from lgwatch import samples
from lgwatch.arguments import json_argument, names
from lgwatch.cli import main
from lgwatch.errors import InputError
from lgwatch.events import GraphLoaded
from lgwatch.journal import JournalReader, JournalWriter
from lgwatch.outline import as_mermaid, as_text
from tests.factories import custom, ended, run
from tests.live import agent, environment, eventually, is_gone, lgwatch_command, node, program

TOPIC = ("-i", '{"topic": "cats"}')


def told(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """What happened and what to try, as it was said on stderr."""
    lines = done.stderr.splitlines()
    assert "Traceback" not in done.stderr, done.stderr
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    hints = [line.removeprefix("try: ") for line in lines if line.startswith("try: ")]
    assert len(errors) == 1, done.stderr
    return errors[0], hints[0] if hints else ""


def lines(done: subprocess.CompletedProcess[str]) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


# ── how a run ends ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("statement", "options", "code", "status"),
    [
        ("pass", (), 0, "done"),
        ("raise ValueError('boom')", (), 1, "failed"),
        ("os._exit(4)", (), 1, "crashed"),
        ("return {'text': interrupt('which?')}", (), 3, "interrupted"),
        ("return {'text': interrupt('which?')}", ("--resume", '"that"'), 0, "done"),
        ("pass", ("--interrupt-before", "writer"), 3, "interrupted"),
        ("pass", ("--interrupt-before", "writer", "--resume", "null"), 0, "done"),
        ("pass", ("--recursion-limit", "1"), 4, "failed"),
        ("time.sleep(60)", ("--timeout", "0.3"), 124, "stopped"),
    ],
)
def test_the_exit_code_tells_how_the_run_ended(
    tmp_path: Path, statement: str, options: tuple[str, ...], code: int, status: str
) -> None:
    agent(tmp_path, node(statement))
    done = program(tmp_path, "run", "agent.py:graph", *TOPIC, "--json", *options)
    assert done.returncode == code, done.stderr
    results = [line for line in lines(done) if line.get("type") == "run_result"]
    assert results[-1].get("status", "done") == status
    pid = lines(done)[0].get("pid")  # a process that was stopped before it began the journal told none
    assert pid is None or is_gone(pid)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("run", "agent.py:nothing", *TOPIC), "nothing", "graph"),
        (("run", "nowhere.py:graph", *TOPIC), "nowhere.py", ""),
        (("run", "no_such_module:graph", *TOPIC), "no_such_module", ""),
        (("run", "agent.py:graph"), "topic", "-i"),
        (("run", "agent.py:graph", "hello"), "", ""),
        (("run", "agent.py:graph", "hello", *TOPIC), "both", "once"),
        (("run", "agent.py:graph", "-i", '{"topic": }'), "line 1, column 11", ""),
        (("run", "agent.py:graph", "-i", "{'topic': 1}"), "line 1, column 2", "double quotes"),
        (("run", "agent.py:graph", "-i", "@missing.json"), "missing.json", "@FILE"),
        (("run", "agent.py:graph", *TOPIC, "-c", "[]"), "JSON object", "--config"),
        (("run", "agent.py:graph", *TOPIC, "--resume", "yes"), "--resume is no JSON", "double quotes"),
        (("run", "agent.py:graph", *TOPIC, "-f", "nod:writer"), "nod", "node"),
        (("run", "agent.py:graph", *TOPIC, "--journal", "agent.py"), "exists already", "another"),
        (("run", "agent.py:graph", *TOPIC, "--journal", "no/folder/x"), "cannot write", ""),
        (("run", "agent.py:graph", *TOPIC, "--journal", "x", "--no-journal"), "both", "one"),
        (("run", "agent.py:graph", *TOPIC, "--json", "--plain"), "both", "one"),
        (("run", "agent.py:graph", *TOPIC, "--checkpointer", "disk"), "disk", "keep"),
        (("run", "agent.py:graph", *TOPIC, "--timeout", "0"), "--timeout", ""),
        (("run", "agent.py:graph", *TOPIC, "--python", "nowhere"), "nowhere", "--python"),
        (("run", "agent.py:graph", *TOPIC, "--app-dir", "nowhere"), "nowhere", "--app-dir"),
        (("run", "agent.py:graph", *TOPIC, "--recursion-limit", "x"), "--recursion-limit", "lgwatch run --help"),
        (("run", "--bogus"), "--bogus", "lgwatch run --help"),
        (("rum",), "rum", "lgwatch --help"),
        (("open",), "FILE", "lgwatch open --help"),
        (("open", "nothing.jsonl"), "nothing.jsonl", "lgwatch runs"),
        (("open", "agent.py"), "not a journal", "lgwatch runs"),
        (("runs", "--delete", "nothing"), "nothing", "lgwatch runs"),
        (("runs", "something"), "something", "lgwatch open"),
        (("graph", "agent.py:nothing"), "nothing", ""),
        (("demo", "reserch"), "reserch", "research"),
    ],
)
def test_a_mistake_is_one_sentence_and_one_hint(
    tmp_path: Path, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    agent(tmp_path)
    done = program(tmp_path, *arguments)
    what, what_to_try = told(done)
    assert done.returncode == 2
    assert message in what
    assert hint in what_to_try
    assert what_to_try


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = shlex.join(lgwatch_command("run", "agent.py:graph"))
    done = subprocess.run(
        ["sh", "-c", f"rmdir {shlex.quote(str(gone))}; exec {command}"], cwd=gone, env=environment(tmp_path),
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert told(done) == ("the current directory was deleted", "go to another one: cd")


def test_an_error_in_the_users_module_shows_the_users_line(tmp_path: Path) -> None:
    agent(tmp_path, "the_users_line = 1 / 0")
    done = program(tmp_path, "run", "agent.py:graph", *TOPIC)
    assert done.returncode == 2
    assert "the_users_line = 1 / 0" in done.stderr
    assert "lgwatch/runner" not in done.stderr


def _started(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        lgwatch_command("run", "agent.py:graph", *TOPIC, "--journal", "run.jsonl", *arguments), cwd=folder,
        env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def _until_in_it(folder: Path) -> int:
    journal = folder / "run.jsonl"
    assert eventually(lambda: journal.exists() and b'"in it"' in journal.read_bytes())
    return int(JournalReader(journal).header.extra["pid"])


IN_IT = node("get_stream_writer()('in it')\nwhile True: time.sleep(0.01)")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_run_and_says_130(tmp_path: Path, number: signal.Signals) -> None:
    agent(tmp_path, IN_IT)
    with _started(tmp_path, "--json") as watcher:
        pid = _until_in_it(tmp_path)
        watcher.send_signal(number)
        out, err = watcher.communicate(timeout=60)
    assert watcher.returncode == 130
    assert b"Traceback" not in err
    assert json.loads(out.splitlines()[-1])["status"] == "stopped"
    assert is_gone(pid)


def test_ctrl_c_again_and_again_does_not_wait(tmp_path: Path) -> None:
    agent(tmp_path, "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + IN_IT)
    with _started(tmp_path, "--plain") as watcher:
        pid = _until_in_it(tmp_path)
        for _ in range(4):
            watcher.send_signal(signal.SIGINT)
        watcher.communicate(timeout=60)
    assert watcher.returncode == 130
    assert is_gone(pid)


def test_a_reader_that_has_enough_leaves_nothing_behind(tmp_path: Path) -> None:
    agent(tmp_path, node("get_stream_writer()('in it')\nwhile True: get_stream_writer()(1); time.sleep(0.01)"))
    with _started(tmp_path, "--json") as watcher:
        pid = _until_in_it(tmp_path)
        assert watcher.stdout is not None
        watcher.stdout.close()
        assert watcher.stderr is not None
        err = watcher.stderr.read()
    assert watcher.returncode == 0
    assert err == b""
    assert eventually(lambda: is_gone(pid))


def test_a_killed_program_leaves_a_journal_that_opens(tmp_path: Path) -> None:
    agent(tmp_path, IN_IT)
    with _started(tmp_path, "--json") as watcher:
        pid = _until_in_it(tmp_path)
        watcher.kill()
    assert eventually(lambda: is_gone(pid))
    done = program(tmp_path, "open", "run.jsonl", "--json")
    assert done.returncode == 0
    assert lines(done)[-1] == {**lines(done)[-1], "type": "run_result", "status": "stopped"}


# ── what a run takes ─────────────────────────────────────────────────────────────────────────────────────────────────

ECHO = node("return {'text': repr(dict(state)['topic'])}")


def test_stdout_without_a_terminal_gets_short_text(tmp_path: Path) -> None:
    agent(tmp_path)
    done = program(tmp_path, "run", "agent.py:graph", *TOPIC)
    assert "▸ writer" in done.stdout
    assert "about cats" in done.stdout
    assert "journal: " in done.stderr


@pytest.mark.parametrize("form", ["@input.json", "-"])
def test_input_comes_from_a_file_or_stdin(tmp_path: Path, form: str) -> None:
    agent(tmp_path, ECHO)
    given = '{"topic": "from elsewhere"}'
    (tmp_path / "input.json").write_text(given)
    done = program(tmp_path, "run", "agent.py:graph", "-i", form, "--json", stdin=given)
    assert lines(done)[-1]["output"]["text"] == "'from elsewhere'"


def test_the_only_graph_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(
        "from langgraph.graph import START, StateGraph\n"
        "builder = StateGraph(dict).add_node('echo', lambda state: state).add_edge(START, 'echo')\n"
        "graph = builder.compile()\n"
    )
    done = program(tmp_path, "run", *TOPIC, "--json")
    assert done.returncode == 0, done.stderr


def test_the_thread_is_taken_from_the_option_or_the_config(tmp_path: Path) -> None:
    agent(tmp_path)
    for options in (("-t", "mine"), ("-c", '{"configurable": {"thread_id": "mine"}}')):
        done = program(tmp_path, "run", "agent.py:graph", *TOPIC, "--json", *options)
        assert [line["thread"] for line in lines(done) if line.get("type") == "run"] == ["mine"]


def test_the_environment_file_is_read_unless_it_is_not_wanted(tmp_path: Path) -> None:
    agent(tmp_path, node("return {'text': os.environ.get('FROM_FILE', 'not set')}"))
    (tmp_path / ".env").write_text("FROM_FILE=found\n")
    (tmp_path / "other.env").write_text("FROM_FILE=other\n")
    for options, text in (((), "found"), (("--env-file", "other.env"), "other"), (("--no-env",), "not set")):
        done = program(tmp_path, "run", "agent.py:graph", *TOPIC, "--json", *options)
        assert lines(done)[-1]["output"]["text"] == text


def test_a_run_is_recorded_and_listed_and_opened_and_deleted(tmp_path: Path) -> None:
    agent(tmp_path)
    first = program(tmp_path, "run", "agent.py:graph", *TOPIC, "--json")
    (listed,) = lines(program(tmp_path, "runs", "--json"))
    assert (listed["target"], listed["status"]) == ("agent.py:graph", "done")
    assert Path(listed["path"]).parent == tmp_path / "state"
    assert listed["name"] in program(tmp_path, "runs").stdout
    assert program(tmp_path, "open", listed["name"], "--json").stdout == Path(listed["path"]).read_text()
    assert Path(listed["path"]).read_text().startswith(first.stdout)
    assert program(tmp_path, "runs", "--delete", listed["name"]).returncode == 0
    assert program(tmp_path, "runs", "--json").stdout == ""


def test_several_runs_are_deleted_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LGWATCH_STATE", str(tmp_path))
    for name in "abc":
        JournalWriter(tmp_path / f"{name}.jsonl", target="agent").close()
    for arguments, code in ((("a", "b"), 0), (("a",), 2)):
        with pytest.raises(SystemExit) as end:
            main(["runs", "--delete", *arguments])
        assert end.value.code == code
    assert [path.name for path in tmp_path.iterdir()] == ["c.jsonl"]
    assert capsys.readouterr().out == ""


def test_a_run_leaves_no_journal_when_none_is_wanted(tmp_path: Path) -> None:
    agent(tmp_path)
    done = program(tmp_path, "run", "agent.py:graph", *TOPIC, "--plain", "--no-journal")
    assert done.returncode == 0
    assert "journal:" not in done.stderr
    assert not list((tmp_path / "state").glob("[!.]*"))


def test_what_cannot_be_loaded_is_told_and_is_no_run(tmp_path: Path) -> None:
    agent(tmp_path)
    done = program(tmp_path, "run", "agent.py:nothere", *TOPIC, "--plain")
    assert done.returncode == 2
    assert "nothere" in done.stderr
    if "allowed_objects" in done.stdout:
        pytest.skip(
            "a LangGraph before 1.0 warns when it is imported beside a later LangChain: there is something to keep"
        )
    assert "journal:" not in done.stderr
    assert program(tmp_path, "runs", "--json").stdout == ""
    program(tmp_path, "run", "agent.py:nothere", *TOPIC, "--journal", "here.jsonl")
    assert lgwatch.read_journal(tmp_path / "here.jsonl").status == "failed"


def test_a_journal_goes_where_it_is_wanted(tmp_path: Path) -> None:
    agent(tmp_path)
    program(tmp_path, "run", "agent.py:graph", *TOPIC, "--journal", "here.jsonl")
    assert lgwatch.read_journal(tmp_path / "here.jsonl").status == "done"


def test_old_runs_make_room(tmp_path: Path) -> None:
    agent(tmp_path)
    for _ in range(2):
        program(tmp_path, "run", "agent.py:graph", *TOPIC, LGWATCH_KEEP_RUNS="1")
    assert len(lines(program(tmp_path, "runs", "--json"))) == 1


# ── other commands ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_journal_is_opened_whatever_its_run_came_to(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    writer = JournalWriter(path, target="agent")
    for event in (run(), custom({"n": 1}), ended("failed")):
        writer.append(event)
    writer.close()
    assert program(tmp_path, "open", "a.jsonl", "--json").stdout == path.read_text()
    assert program(tmp_path, "open", "a.jsonl", "--plain").returncode == 0
    assert program(tmp_path, "open", "a.jsonl", "--follow", "--plain").returncode == 1
    assert program(tmp_path, "open", "a.jsonl", "--expand").returncode == 2
    kept = lines(program(tmp_path, "open", "a.jsonl", "--json", "--expand", "-f", "type:custom"))
    assert [line.get("type") for line in kept] == [None, "run", "custom", "run_result"]


def test_a_graph_is_described_without_being_run(tmp_path: Path) -> None:
    agent(tmp_path)
    text = program(tmp_path, "graph", "agent.py:graph")
    assert text.returncode == 0, text.stderr
    assert "__start__ → writer" in " ".join(text.stdout.split())
    assert "topic" in text.stdout
    (described,) = [json.loads(program(tmp_path, "graph", "agent.py:graph", "--json").stdout)]
    assert {"source": "__start__", "target": "writer"}.items() <= described["edges"][0].items()
    assert described["input_schema"]["properties"].keys() == {"topic", "text"}
    mermaid = program(tmp_path, "graph", "agent.py:graph", "--mermaid").stdout
    assert mermaid.startswith("flowchart TD\n")
    assert not (tmp_path / "state").exists()


HOSTILE = 'a"] --> b\n[bold]\x1b[2J;`end`'


def test_a_subgraph_is_a_box_around_its_nodes() -> None:
    ids = ["__start__", "sub", "sub:inner", "sub:inner:leaf", "sub:after", "last"]
    nodes = [{"id": name, "name": name.rpartition(":")[2], "kind": "node"} for name in ids]
    edges = [{"source": "__start__", "target": "sub"}, {"source": "sub", "target": "last"},
             {"source": "sub:inner", "target": "sub:after"}]  # fmt: skip
    assert as_mermaid(GraphLoaded(target="t", nodes=nodes, edges=edges)).splitlines() == [
        "flowchart TD",
        '    n0["__start__"]',
        '    subgraph n1["sub"]',
        '        subgraph n2["inner"]',
        '            n3["leaf"]',
        "        end",
        '        n4["after"]',
        "    end",
        '    n5["last"]',
        "    n0 --> n1",
        "    n1 --> n5",
        "    n2 --> n4",
    ]


def test_no_name_breaks_a_drawing() -> None:
    graph = GraphLoaded(
        target="t",
        nodes=[{"id": HOSTILE, "name": HOSTILE, "kind": "node"}, {"id": "b", "name": "b", "kind": "subgraph"}],
        edges=[
            {"source": HOSTILE, "target": "b", "conditional": True, "label": HOSTILE},
            {"source": "x", "target": "b"},
        ],
    )
    first, node_line, subgraph, edge = as_mermaid(graph).splitlines()
    assert first == "flowchart TD"
    assert node_line.count('"') == 2
    assert subgraph.strip() == 'n1[["b"]]'
    assert edge.strip().startswith('n0 -.->|"')
    assert edge.endswith("| n1")
    for drawn in (as_mermaid(graph), as_text(graph)):
        assert "\x1b" not in drawn


def test_demos_are_listed_and_run(tmp_path: Path) -> None:
    listed = program(tmp_path, "demo", "--list").stdout
    assert {line.split()[0] for line in listed.splitlines()} >= {"research", "joke_and_poem", "tool_agent"}
    done = program(tmp_path, "demo", "map-reduce", "--json")
    assert done.returncode == 0, done.stderr
    assert lines(done)[-1].get("type") == "run_result"


def test_every_sample_says_what_it_is() -> None:
    found = samples.samples()
    assert len(found) >= 8
    assert all(sample.title.endswith(".") for sample in found)


def test_the_doctor_finds_nothing_wrong(tmp_path: Path) -> None:
    agent(tmp_path)
    done = program(tmp_path, "doctor", "agent.py:graph")
    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout
    for word in (f"langgraph {version('langgraph')}", "it loads in", "checkpoint", "topic", str(tmp_path / "state")):
        assert word in done.stdout


def test_the_doctor_finds_what_is_wrong_and_goes_on(tmp_path: Path) -> None:
    agent(tmp_path, "import no_such_package")
    done = program(tmp_path, "doctor", "agent.py:graph", LGWATCH_STATE="/proc/nowhere")
    assert done.returncode == 2
    failed = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert len(failed) == 1
    assert "no_such_package" in failed[0]
    assert "LGWATCH_STATE" in done.stdout


def test_the_doctor_without_a_target_looks_at_the_rest(tmp_path: Path) -> None:
    done = program(tmp_path, "doctor")
    assert done.returncode == 0, done.stdout
    assert "⚠" in done.stdout


@pytest.mark.parametrize("command", [(), ("run",), ("open",), ("runs",), ("graph",), ("demo",), ("doctor",)])
def test_the_help_fits_a_terminal_and_its_examples_stand_in_lines_of_their_own(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert not end.value.code
    told = capsys.readouterr().out.splitlines()
    assert max(map(len, told)) <= 80
    assert not any("[[" in line or line.endswith("...") for line in told if "[OPTIONS]" not in line or "[[" in line)
    if command in ((), ("run",)):
        assert any(line.strip().startswith("lgwatch run agent.py:graph ") for line in told)


def test_version_and_help(tmp_path: Path) -> None:
    assert program(tmp_path, "--version").stdout == f"lgwatch {lgwatch.__version__}\n"
    usage = program(tmp_path)
    assert usage.returncode == 0
    for command in ("run", "open", "runs", "graph", "demo", "doctor"):
        assert f"  {command} " in usage.stdout
        assert program(tmp_path, command, "--help").returncode == 0


# ── values on the command line ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["", "   ", "{", "nope", "[1,]", '{"a": 1}}', "[" * 100_000])
def test_what_is_no_json_says_where(text: str) -> None:
    with pytest.raises(InputError) as caught:
        json_argument(text, "--input")
    assert "--input" in str(caught.value)
    assert caught.value.hint


def test_names_are_separated_by_commas() -> None:
    assert names(" a, b,,c ") == ("a", "b", "c")
    assert names("") == ()
    assert names("*") == ("*",)
