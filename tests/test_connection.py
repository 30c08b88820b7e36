"""The one connection to a kernel: what is said comes whole and in order, and what a kernel sends takes little memory."""

import asyncio
import contextlib
import json
import queue
import random
import re
import socket
import time

import pytest
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from grading.connection import LOOKS, WAITING, Channel, Connection
from grading.inside.kernel_packets import MOST, SIZE, Joined, packets
from grading.station import Station


def message(kind: str, text: str = "") -> bytes:
    header = {"msg_type": kind, "msg_id": "1"}
    return json.dumps(
        {"header": header, "parent_header": {"msg_id": ""}, "content": {"text": text}, "metadata": {}}
    ).encode()


@pytest.fixture
def kernel():
    """The connection, and the socket that a kernel has."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield Connection(ours, lambda: False), theirs


async def asked(channel: str, connection: Connection, sent=None, timeout: float = 60) -> dict:
    """The next message of a channel, while `sent` is run in a thread."""
    sending = asyncio.create_task(asyncio.to_thread(sent)) if sent else None
    try:
        return await Channel(connection, channel, None).get_msg(timeout)
    finally:
        if sending:
            await sending


@pytest.mark.parametrize("length", [0, 1, SIZE - 2, SIZE - 1, SIZE, 5 * SIZE])
def test_a_message_comes_as_it_was_sent(length):
    sent = random.Random(length).randbytes(length)
    joined = Joined(10 * SIZE)
    assert [one for packet in packets(sent) if (one := joined.take(packet)) is not None] == [sent]
    assert all(len(packet) <= SIZE for packet in packets(sent))


def test_of_a_message_that_was_interrupted_nothing_is_left():
    joined = Joined(10 * SIZE)
    for packet in packets(b"a" * 3 * SIZE)[:2]:
        assert joined.take(packet) is None
    assert [joined.take(packet) for packet in packets(b"whole")] == [b"whole"]
    # Nor of one whose beginning was lost.
    assert joined.take(packets(b"a" * 3 * SIZE)[2]) is None
    assert joined.take(packets(b"a" * 3 * SIZE)[-1]) is None


def test_messages_of_both_channels_are_told_apart(kernel):
    connection, theirs = kernel
    for kind in ("stream", "execute_reply", "status"):
        theirs.send(packets(message(kind))[0])

    async def read():
        return [(await asked(channel, connection))["msg_type"] for channel in ("shell", "iopub", "iopub")]

    assert asyncio.run(read()) == ["execute_reply", "stream", "status"]


def test_in_place_of_a_message_that_is_too_large_it_is_said_that_something_was_cut(kernel):
    connection, theirs = kernel

    def send():
        for one in (message("stream", "x" * (MOST + 1)), message("status")):
            for packet in packets(one):
                theirs.send(packet)

    async def read():
        first = await asked("iopub", connection, send)
        return first, await asked("iopub", connection)

    first, second = asyncio.run(read())
    assert "was cut" in first["content"]["text"] and first["size"] < 100
    assert second["msg_type"] == "status"


@pytest.mark.parametrize("text", ["", "x" * 100_000])
def test_what_nobody_reads_is_not_kept(kernel, text):
    connection, theirs = kernel

    def flood():
        for _ in range(4 * WAITING):
            for packet in packets(message("stream", text)):
                theirs.send(packet)
        theirs.send(packets(message("execute_reply"))[0])

    asyncio.run(asked("shell", connection, flood))
    waiting = connection._waiting["iopub"]
    assert 0 < len(waiting) <= WAITING and sum(map(len, waiting)) <= 2 * MOST


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"header": {}}',
        b"[" * 50_000,
        message("stream").replace(b'{"text": ""}', b"3"),
        b"\xff",
    ],
)
def test_a_kernel_that_sends_no_message_is_ended(kernel, sent):
    connection, theirs = kernel
    said = []
    connection.on_misuse = said.append
    theirs.send(packets(sent)[0])
    with pytest.raises(queue.Empty):
        asyncio.run(asked("shell", connection))
    assert said == ["the kernel sent what no kernel sends"]


@pytest.mark.parametrize(
    "packet", [b"\x00", b"\x01", b"\x01" + b"x" * 60_000, packets(message("stream", "x" * 60_000))[0]]
)
def test_a_kernel_that_sends_too_much_is_ended_whatever_it_is(kernel, packet):
    connection, theirs = kernel
    said = []

    def end(reason):
        said.append(reason)
        theirs.shutdown(socket.SHUT_RDWR)

    connection.on_misuse, connection.most = end, 1_000_000

    def flood():
        with contextlib.suppress(OSError):
            while not said:
                theirs.send(packet)

    with pytest.raises(queue.Empty):
        asyncio.run(asked("shell", connection, flood))
    assert said == ["it sent more than anyone could read"]


def test_what_nobody_has_asked_for_is_not_kept(kernel):
    connection, theirs = kernel
    for kind in ("stream", "execute_reply"):
        theirs.send(packets(message(kind).replace(b'{"msg_id": ""}', b'{"msg_id": "other"}'))[0])
    theirs.send(packets(message("status"))[0])
    assert asyncio.run(asked("iopub", connection))["msg_type"] == "status"
    assert not any(connection._waiting.values())


def test_half_of_a_character_is_read_as_what_it_is_not(kernel):
    connection, theirs = kernel
    theirs.send(packets(message("stream", "half ?").replace(b"?", b"\xe9"))[0])
    assert asyncio.run(asked("iopub", connection))["content"]["text"] == "half \ufffd"


def test_who_waits_no_longer_takes_nothing_with_it(kernel):
    connection, theirs = kernel

    async def impatient():
        with pytest.raises(queue.Empty):
            waiting = asyncio.create_task(Channel(connection, "iopub", None).get_msg(0.05))
            await asyncio.sleep(0)
            theirs.send(packets(message("stream"))[0])
            # The time is over and the message is there when the loop has its next turn.
            time.sleep(0.2)
            found = await waiting
            assert found["msg_type"] == "stream"
            raise queue.Empty
        if not waiting.done() or waiting.exception():
            assert (await asked("iopub", connection))["msg_type"] == "stream"

    asyncio.run(impatient())


@pytest.mark.parametrize("end", [socket.socket.close, lambda theirs: theirs.send(b"")])
def test_a_kernel_that_is_gone_is_noticed_before_its_time_is_over(kernel, end):
    connection, theirs = kernel
    end(theirs)
    with pytest.raises(queue.Empty):
        asyncio.run(asyncio.wait_for(asked("shell", connection, timeout=10_000), 100))


def test_an_answer_is_waited_for_no_longer_than_it_may_take(kernel):
    connection, _ = kernel
    looks = iter([False, False, True])
    connection.is_over = lambda: next(looks)
    begin = time.monotonic()
    with pytest.raises(queue.Empty):
        asyncio.run(asked("shell", connection, timeout=600))
    assert 3 * LOOKS <= time.monotonic() - begin < 300
    assert next(looks, None) is None


def test_a_kernel_that_closes_its_side_and_goes_on_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr("grading.connection.LAST", 3 * LOOKS)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.close()
    begin = time.monotonic()
    with ours, pytest.raises(queue.Empty):
        asyncio.run(asked("shell", Connection(ours, lambda: True), timeout=600))
    assert time.monotonic() - begin < 300


def test_a_kernel_that_takes_nothing_is_not_waited_for_without_end(kernel):
    connection, _ = kernel
    with pytest.raises(TimeoutError):
        connection.send({"header": {"msg_id": "1"}}, b"x" * 10_000_000)


@pytest.fixture(scope="module")
def run():
    """Runs cells in one kernel; the outputs of each."""
    with Station(Config()) as station, station.broker:
        manager = station.kernel_manager()
        run_sync(manager.start_kernel)()
        answer = {"ename": "TooLong", "evalue": "", "traceback": []}
        client = NotebookClient(new_notebook(), km=manager, allow_errors=True, timeout=5, interrupt_on_timeout=True)
        client.error_on_timeout = answer
        client.start_new_kernel_client()

        def outputs(*sources: str) -> list[list]:
            client.nb.cells = [new_code_cell(source) for source in sources]
            for place, cell in enumerate(client.nb.cells):
                client.execute_cell(cell, place)
            return [cell.outputs for cell in client.nb.cells]

        yield outputs
        run_sync(manager.shutdown_kernel)(now=True)


def texts(outputs: list) -> list[tuple[str, str]]:
    return [(one.name, one.text) for one in outputs]


def test_a_first_cell_finds_nothing_of_what_was_run_before_it_was_forked(run):
    ((first,),) = run("import sys\nIn[0], sorted(Out), 'ipykernel' in __name__, hasattr(sys, 'last_value')")
    assert first.data["text/plain"] == "('', [], False, False)"


def test_what_is_written_past_python_stands_where_it_was_written(run):
    source = "import os, sys\nprint('a')\nos.system('echo b')\nprint('c', file=sys.stderr)\nprint('d')"
    (outputs,) = run(source)
    assert [(name, "".join(t for n, t in texts(outputs) if n == name)) for name in ("stdout", "stderr")] == [
        ("stdout", "a\nb\nd\n"),
        ("stderr", "c\n"),
    ]
    assert [name for name, _ in texts(outputs)][-2:] == ["stderr", "stdout"]


def test_a_loop_that_prints_is_interrupted_and_the_next_cell_runs(run):
    endless, after = run("while True:\n    print('x' * 70_000)", "print('next')")
    assert all(one.output_type in ("stream", "error") for one in endless)
    assert texts(after) == [("stdout", "next\n")]


def test_what_awaits_is_interrupted_too(run):
    before, _, after = run(
        "import asyncio\nawait asyncio.sleep(0)\nprint('slept')", "await asyncio.sleep(1000)", "print('next')"
    )
    assert texts(before) == [("stdout", "slept\n")]
    assert texts(after) == [("stdout", "next\n")]


def test_programs_that_a_cell_has_started_are_interrupted_with_it(run):
    _, after = run("!read forever < /dev/zero; while :; do :; done", "print('next')")
    assert texts(after) == [("stdout", "next\n")]


def test_plots_magics_and_displays_are_what_they_are_in_a_notebook(run):
    plot, stored, updated, cut = run(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "x = 3\n%store x",
        "from IPython.display import display\nd = display('one', display_id=True)\nd.update('two')",
        "print('y' * 20_000_000)",
    )
    assert "image/png" in plot[0].data
    assert texts(stored) == [("stdout", "Stored 'x' (int)\n")]
    assert updated[0].data["text/plain"] == "'two'"
    assert 1_000_000 < len(cut[0].text) < 2_000_000


def test_what_is_not_python_alone_is_what_ipython_makes_of_it(run):
    words, magic, prompt, indented, quoted, broken = run(
        "words = !echo a b\nprint(words)",
        "if True:\n    place = %pwd\n    print(place[:1])",
        "In [7]: print(7)\n   ...: print(8)",
        "  print(9)\n  print(10)",
        "print('''\n%pwd''')",
        "x = = 1",
    )
    assert texts(words) == [("stdout", "['a b']\n")]
    assert texts(magic) == [("stdout", "/\n")]
    assert texts(prompt) == [("stdout", "7\n8\n")]
    assert texts(indented) == [("stdout", "9\n10\n")]
    assert texts(quoted) == [("stdout", "\n%pwd\n")]
    assert broken[0].ename == "SyntaxError"


def test_what_a_cell_ends_with_is_shown_unless_a_semicolon_ends_it(run):
    shown, hidden, quoted, commented, awaited = run(
        "1; 2",
        "3;",
        "'4;'",
        "5  # not hidden;",
        "import asyncio\nawait asyncio.sleep(0, 6)",
    )
    assert [[one.data["text/plain"] for one in each] for each in (shown, hidden, quoted, commented, awaited)] == [
        ["2"], [], ["'4;'"], ["5"], ["6"]
    ]  # fmt: skip


def test_errors_are_taken_apart_as_in_a_notebook(run):
    """Compared with IPython's own kernel, which formats the first one as it does the others."""
    sources = "def f(x):\n    return x / 0", "f(1)", "[1][2]", "%tb", "1 +", "f(1)"
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    NotebookClient(notebook, allow_errors=True).execute()

    def shown(outputs: list) -> list[str]:
        # Each kernel numbers its cells from where it is.
        return [
            re.sub(r"\[\d+\]|ipykernel_\d+/\d+", "", "\n".join(one.get("traceback", [one.get("text")])))
            for one in outputs
        ]

    assert [shown(outputs) for outputs in run(*sources)] == [shown(cell.outputs) for cell in notebook.cells]


def test_a_warning_names_its_cell(run):
    (warned,) = run("import warnings\nwarnings.warn('again')")
    assert re.match(r"/tmp/ipykernel_\d+/\d+\.py:2: UserWarning: again\n", texts(warned)[0][1])


def test_what_becomes_of_its_streams_is_a_cells_own_doing(run):
    closed, redirected, after = run(
        "import os, sys\nsys.stdout = open(os.devnull, 'w')\nsys.stdout.close()",
        "saved = os.dup(1)\nfile = os.open('log.txt', os.O_RDWR | os.O_CREAT)\nos.dup2(file, 1)\nos.system('echo kept')\n"
        "print('seen')\nos.dup2(saved, 1)\nprint(open('log.txt').read())",
        "print('next')",
    )
    assert [one.output_type for one in closed] == ["error"]
    assert "".join(text for _, text in texts(redirected)) == "seen\nkept\n\n"
    assert texts(after) == [("stdout", "next\n")]


def test_a_fork_that_goes_on_says_nothing_twice_and_asks_for_nothing(run):
    forking = "import os\nprint('once', end='')\nif not os.fork():\n    print('child')"
    forked, after = run(forking, "print('next', os.getpid())")
    assert "".join(text for _, text in texts(forked)).count("once") == 1
    assert len(texts(after)) == 1


def test_an_error_that_says_too_much_is_an_error(run):
    (outputs,) = run("raise ValueError('x' * 13_000_000)")
    assert [one.output_type for one in outputs] == ["error"] and outputs[0].ename == "ValueError"


def test_characters_that_no_file_keeps_do_no_harm(run):
    (outputs,) = run("print('a', '\\ud800', '\\udcff', 'b')")
    assert outputs[0].text[0] == "a" and outputs[0].text.rstrip()[-1] == "b"
