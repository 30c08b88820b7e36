"""Time, memory, processes and disk: what one submission uses up for all. What could harm this machine is kept from stock."""

from . import Attack

KIND = "Resources"


def flood(statement: str) -> str:
    """Source that does this with a million characters, 200 times."""
    return f"import sys\nfrom IPython.display import display\nline = 'x' * 999_999 + '\\n'\nfor _ in range(200):\n    {statement}"


HARM = "it could take this machine down"

ATTACKS = [
    Attack(
        "loop",
        "a loop that no interrupt ends",
        "loops that ignore interrupts",
        "page",
        cell="import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ),
    Attack(
        "loop-in-call",
        "a function that never answers and ignores its time limit",
        "loops that ignore interrupts",
        "the cell's time limit is the same as for the loop above",
        functions={
            "pad2d": "def pad2d(*a, **k):\n    while True:\n        try:\n            while True: pass\n"
            "        except BaseException: pass"
        },
    ),
    Attack(
        "fork-bomb",
        "processes that fork for ever",
        "fork bombs",
        HARM,
        cell="import os, time\ntry:\n    while True: os.fork()\nexcept OSError:\n    time.sleep(1)",
    ),
    Attack(
        "thread-bomb",
        "threads without end",
        "thread bombs",
        HARM,
        cell="import threading, time\ntry:\n    while True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
        "except RuntimeError: pass",
    ),
    Attack(
        "memory",
        "takes memory until there is none",
        "memory",
        HARM,
        cell="hoard = []\nwhile True: hoard.append(bytearray(10**8))",
    ),
    Attack(
        "shared-memory",
        "fills /dev/shm, a memfd, and System V segments, semaphores and queues",
        "shared memory",
        HARM,
        cell="""
import ctypes, os
libc, block = ctypes.CDLL(None, use_errno=True), b'x' * 10**7
for _ in range(200):
    segment = libc.shmget(0, 10**8, 0o1600)
    if segment < 0: break
for _ in range(30_000):
    if libc.semget(0, 32_000, 0o600) < 0: break
for _ in range(30_000):
    if libc.msgget(0, 0o600) < 0: break
for open_one in (lambda: os.open('/dev/shm/fill', os.O_CREAT | os.O_WRONLY), lambda: os.memfd_create('fill')):
    try:
        number = open_one()
        while True: os.write(number, block)
    except OSError: pass
""",
    ),
    Attack(
        "memory-that-nobody-maps",
        "takes memory that is shared and of no file, and lets go of it, so that no process has it",
        "shared memory",
        HARM,
        cell="""
import mmap, os
def anonymous(): return mmap.mmap(-1, 10**8)
def zeros(): return mmap.mmap(os.open('/dev/zero', os.O_RDWR), 10**8)
for make in (anonymous, zeros):
    try:
        kept = [make() for _ in range(11)]
        for one in kept:
            for place in range(0, 10**8, 4096): one[place] = 1
            one.madvise(mmap.MADV_DONTNEED)
        show(make.__name__, 'SECRET-OF-THE-' + 'INSTRUCTOR')
    except OSError: pass
""",
    ),
    Attack(
        "watched-files",
        "watches as many files as all processes of a person may, so that the grader can watch none",
        "killing the supervisor",
        HARM,
        cell="""
import itertools, os, select, threading
def watch():
    try:
        watcher, (end, _) = select.epoll(), os.pipe()
        for number in itertools.count(100):
            watcher.register(os.dup2(end, number), select.EPOLLIN)
            if number > 120:
                show(number, 'SECRET-OF-THE-' + 'INSTRUCTOR')
                break
    except OSError: pass
for run in (watch, threading.Thread(target=watch).start, lambda: os.fork() or (watch(), os._exit(0))): run()
""",
    ),
    Attack(
        "counted-for-all",
        "takes what Linux counts for a person or a machine, and memory that it counts for no process",
        "killing the supervisor, memory",
        HARM,
        cell="""
import ctypes, fcntl, mmap, os, socket, tempfile
libc = ctypes.CDLL(None, use_errno=True)
def mapped():
    # Once closed it has no number and is still watched.
    one = socket.socket()
    one.listen(1)
    address = libc.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, one.fileno(), 0)
def listening():
    one = socket.socket(socket.AF_UNIX)
    one.bind(tempfile.mktemp())
    one.listen(4096)
def terminal(): os.close(os.open('/dev/ptmx', os.O_RDWR))
def locked():
    with tempfile.TemporaryFile() as file: fcntl.lockf(file, fcntl.LOCK_EX, 1, 5)
def call(name, *numbers):
    def made():
        if libc.syscall({'x86_64': numbers[0], 'aarch64': numbers[1]}[os.uname().machine], *numbers[2:]) < 0:
            raise OSError(ctypes.get_errno(), name)
    made.__name__ = name
    return made
reading, writing = os.pipe()
iovec = (ctypes.c_void_p * 2)(ctypes.cast(ctypes.create_string_buffer(9), ctypes.c_void_p), 1)
notify = [call('inotify', 294, 26, 0), call('fanotify', 300, 262, 0, 0), call('userfaultfd', 323, 282, 1)]
queues = [call('vmsplice', 278, 75, writing, iovec, 1, 0), call('io_setup', 206, 0, 9, (ctypes.c_long * 1)())]
for take in (mapped, listening, terminal, locked, *notify, *queues):
    try:
        take()
        show(take.__name__, 'SECRET-OF-THE-' + 'INSTRUCTOR')
    except OSError: pass
""",
    ),
    Attack(
        "files-on-their-way",
        "has files on their way through sockets, as many as all processes of a person may",
        "killing the supervisor, file descriptors",
        HARM,
        cell="""
import socket
kept = []
try:
    for _ in range(300):
        kept.append(socket.socketpair())
        socket.send_fds(kept[-1][0], [b'x'], [0] * 250)
        show('sent', 'SECRET-OF-THE-' + 'INSTRUCTOR')
except OSError: pass
""",
    ),
    Attack(
        "hog",
        "keeps all processors busy with processes in sessions of their own, while its cells sleep",
        "loops that ignore interrupts",
        HARM,
        cell="import subprocess, sys, time\n"
        "for _ in range(30): subprocess.Popen([sys.executable, '-c', 'while True: pass'], start_new_session=True)\n"
        "time.sleep(8)",
    ),
    Attack(
        "disk",
        "fills every folder that it may write to",
        "disk",
        HARM,
        cell="""
import os, tempfile
for folder in ('.', tempfile.gettempdir(), os.path.expanduser('~'), '/var/tmp'):
    try:
        with open(f'{folder}/fill', 'wb') as file:
            while True: file.write(b'x' * 10**7)
    except OSError: pass
""",
    ),
    Attack(
        "inodes",
        "files without end",
        "inodes",
        HARM,
        cell="""
import os, tempfile
for folder in ('.', tempfile.gettempdir(), os.path.expanduser('~')):
    try:
        for number in range(10**6): open(f'{folder}/{number}', 'w').close()
    except OSError: pass
""",
    ),
    Attack(
        "stdout",
        "200 MB on stdout",
        "200 MB of output",
        "it costs stock minutes and gigabytes",
        cell=flood("print(line)"),
    ),
    Attack(
        "stderr",
        "200 MB on stderr",
        "200 MB of output",
        "it costs stock minutes and gigabytes",
        cell=flood("print(line, file=sys.stderr)"),
    ),
    Attack(
        "raw-descriptors",
        "200 MB written past Python to the descriptors 1 and 2",
        "200 MB of output, file descriptors",
        "it costs stock minutes and gigabytes",
        cell="import os\nfor _ in range(200):\n    os.write(1, b'x' * 10**6)\n    os.write(2, b'x' * 10**6)",
    ),
    Attack(
        "displays",
        "200 MB in displays",
        "200 MB of output",
        "it costs stock minutes and gigabytes",
        cell=flood("display({'text/html': line}, raw=True)"),
    ),
    Attack(
        "giant-message",
        "one message of 200 MB",
        "200 MB of output",
        "it costs stock minutes and gigabytes",
        cell="print('x' * 200_000_000)",
    ),
    Attack(
        "large-messages",
        "messages of 20 MB, each a little more than is taken",
        "200 MB of output",
        "it costs stock minutes and gigabytes",
        cell="for _ in range(3): print('x' * 20_000_000, flush=True)",
    ),
    Attack(
        "many-messages",
        "100,000 small messages",
        "200 MB of output",
        "it costs stock minutes",
        cell="from IPython.display import display\nfor number in range(100_000): display({'text/plain': 'x'}, raw=True)",
    ),
    Attack(
        "survivor",
        "a process in a session of its own that outlives the kernel",
        "surviving processes",
        "effect",
        cell="import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(90)', TAG], start_new_session=True)",
    ),
    Attack(
        "display-updated",
        "has one large update multiplied by all displays of the same name",
        "200 MB of output",
        "it takes stock's page, and minutes",
        cell="from IPython.display import display\nfor _ in range(480): display({'text/plain': 'x'}, raw=True, display_id='d')\n"
        "display({'text/plain': 'y' * 400_000}, raw=True, display_id='d', update=True)",
    ),
    Attack(
        "giant-errors",
        "answers every cell with an error of 11 MB",
        "200 MB of output",
        "it takes stock's page, and minutes",
        cell="""
kernel = get_ipython().kernel
honest = kernel.do_execute
async def do_execute(*given, **named):
    await honest(*given, **named)
    return {'status': 'error', 'ename': 'x', 'evalue': 'y', 'traceback': ['z' * 11_000_000], 'execution_count': 1}
kernel.do_execute = do_execute
""",
    ),
    Attack("crash", "a null pointer in C", "crash in C", "page", cell="import ctypes\nctypes.string_at(0)"),
    Attack(
        "hang-in-c",
        "a call of C that holds the interpreter for ever",
        "hang in C",
        "page",
        cell="import itertools\nsum(itertools.repeat(0))",
    ),
    Attack(
        "stopped",
        "the kernel stops itself, and cannot be interrupted",
        "hang in C",
        "page",
        cell="import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    ),
    Attack(
        "blank-lines",
        "90,000 empty lines, for whose colours a page takes hours",
        "notebook bombs",
        "on stock nobody's feedback is made before those hours are over",
        cell="x = 1" + "\n" * 90_000 + "y = 2",
    ),
    Attack(
        "poison",
        "patches everything that the next submission of a warm process would use",
        "poisoning a warm worker",
        "stock starts a kernel for each notebook",
        cell="import builtins\nnp.pad = np.asarray = np.allclose = lambda *a, **k: np.zeros(1)\nbuiltins.len = lambda thing: 0",
    ),
    Attack(
        "warm-parent",
        "speaks to whoever forks the kernels of all, and tells whoever waits for this one how it ended",
        "poisoning a warm worker, file descriptors",
        "stock starts a kernel for each notebook",
        cell="""
import os
for number in range(3, 300):
    try:
        os.write(number, b'4194303')
    except OSError: pass
for process in filter(str.isdigit, os.listdir('/proc')):
    if int(process) != os.getpid():
        for number in range(20):
            try:
                with open(f'/proc/{process}/fd/{number}', 'wb') as file: file.write(b'0\\n')
            except OSError: pass
""",
    ),
    Attack(
        "kill-parent",
        "kills whoever started it",
        "killing the supervisor",
        "stops",
        cell="import os, signal\nif os.getppid() > 1: os.kill(os.getppid(), signal.SIGKILL)",
        alone=True,
    ),
    Attack(
        "kill-init",
        "kills process 1 and stops its whole group",
        "killing the supervisor",
        HARM,
        cell="import os, signal\nassert os.getppid() in (0, 1) or open('/proc/1/comm').read().strip() in ('bwrap', 'python', 'python3')\n"
        "os.kill(1, signal.SIGKILL)\nos.kill(1, signal.SIGTERM)",
    ),
]
