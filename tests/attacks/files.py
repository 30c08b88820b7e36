"""Files beside the notebook, or instead of it, and places from which Python and IPython load code."""

import importlib.util
import json
import os
import socket
import zipfile

from . import Attack

KIND = "Files and imports"


def beside(**files):
    """A change that puts files beside the notebook; in their names __ stands for the dot."""

    def change(notebook, folder, place):
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text.replace("LOOT", str(place.loot)))

    return change


def instead(make):
    """A change that puts something else where the notebook should be: `make(path, folder, place)`."""

    def change(notebook, folder, place):
        notebook.clear()
        make(folder / "padding.ipynb", folder, place)

    return change


def wrote(name: str) -> str:
    """Source of a module that leaves a file outside."""
    return f"open('LOOT/eve-{name}', 'w')\n"


def link_secret(notebook, folder, place):
    (folder / "notes.txt").symlink_to(place.home / "secret.txt")
    (folder / "folder").symlink_to(place.home)
    (folder / "neighbour.txt").symlink_to("../../ada/1-padding/padding.ipynb")


def hard_link_secret(notebook, folder, place):
    os.link(place.home / "secret.txt", folder / "notes.txt")
    os.link(place.course / "gradebook.db", folder / "mine.db")


def listening_socket(notebook, folder, place):
    # The path of a socket is short.
    here = os.open(folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{here}/data.sock")
    os.close(here)


def bomb_archive(notebook, folder, place):
    with zipfile.ZipFile(folder / "data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../ada/1-padding/padding.ipynb", "{}")
        archive.writestr("/" + str(place.loot / "eve-archive").lstrip("/"), "out")
        archive.writestr("zeros", bytes(10**7))


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


ATTACKS = [
    Attack(
        "numpy-py",
        "a numpy.py beside the notebook",
        "numpy.py",
        "effect",
        change=beside(numpy__py=wrote("numpy-py") + "raise ImportError\n"),
        honest=4,
        exactly=False,
    ),
    Attack(
        "random-py",
        "a random.py beside the notebook, in place of the standard library's",
        "random.py",
        "IPython looks in the standard library first",
        cell="import sys\nsys.modules.pop('random')\nimport random",
        change=beside(random__py=wrote("random-py")),
    ),
    Attack(
        "conftest-py",
        "a conftest.py, pytest.ini, setup.cfg and nbgrader_config.py beside the notebook",
        "conftest.py",
        "nobody runs pytest or nbgrader in a student's folder",
        change=beside(
            conftest__py=wrote("conftest-py"),
            pytest__ini="[pytest]\n",
            nbgrader_config__py=wrote("conftest-py"),
            jupyter_config__py=wrote("conftest-py"),
            ipython_config__py=wrote("conftest-py"),
        ),
    ),
    Attack(
        "own-autograde-tests",
        "an autograde_tests/ beside the notebook, which gives full points",
        "autograde_tests/ beside the notebook",
        "points",
        change=lambda notebook, folder, place: (
            (folder / "autograde_tests").mkdir(),
            (folder / "autograde_tests" / "__init__.py").write_text("check = lambda name, function, points: points\n"),
        ),
    ),
    Attack(
        "namespaces",
        "goes back to where it was forked from: enters other namespaces, makes new ones, mounts, traces",
        "/proc, files on disk",
        "effect",
        cell="""
import ctypes, os
libc = ctypes.CDLL(None)
for process in [*filter(str.isdigit, os.listdir('/proc')), 'self']:
    for kind in ('user', 'mnt', 'pid', 'net'):
        try:
            libc.setns(os.open(f'/proc/{process}/ns/{kind}', os.O_RDONLY), 0)
        except OSError: pass
    # Without stopping it.
    libc.ptrace(0x4206, int(process) if process != 'self' else 0, 0, 0)
    libc.chroot(f'/proc/{process}/root'.encode())
for flags in (0x10000000, 0x10020000, 0x20000000, 0x40000000, 0x00020000): libc.unshare(flags)
libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)
libc.mount(None, b'/', None, 32, None)
libc.umount2(b'/tmp', 2)
open(f'{LOOT}/{ME}', 'w').close()
""",
    ),
    Attack(
        "settings-of-the-machine",
        "opens everything in /proc for writing: its settings ask for the machine's root, who may be grading, and no more",
        "/proc",
        "there a student's code is the instructor, whose settings they are",
        cell="""
import os
for folder, _, files in os.walk('/proc'):
    for file in files:
        try:
            # A link leads to what is open anyway.
            os.close(os.open(f'{folder}/{file}', os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW))
            show(folder, file, 'SECRET-OF-THE-' + 'INSTRUCTOR')
        except OSError: pass
""",
    ),
    Attack(
        "first-process",
        "takes over the sandbox's first process, with which all others end: traces it, reads it, takes its files",
        "surviving processes",
        "there the first process is the machine's",
        cell="""
import ctypes
libc, there = ctypes.CDLL(None), 'SECRET-OF-THE-' + 'INSTRUCTOR'
held = (ctypes.c_size_t * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
with open('/proc/1/maps') as maps:
    begin = int(maps.read().split('-')[0] or '0', 16)
known = (ctypes.c_size_t * 2)(begin, 8)
for call in (310, 311):
    if libc.syscall(call, 1, held, 1, known, 1, 0) > 0: show(call, there)
for number in range(8):
    if libc.syscall(438, libc.syscall(434, 1, 0), number, 0) >= 0: show('descriptor', number, there)
if libc.ptrace(0x4206, 1, 0, 0) == 0: show('ptrace', there)
""",
    ),
    Attack(
        "leases",
        "lets everybody wait who opens a file that others need: a lease on it, and another when that is broken",
        "files on disk, other students",
        "there a student's code is the instructor, whose files they are",
        cell="""
import fcntl, os
for kind in (fcntl.F_WRLCK, fcntl.F_RDLCK):
    try:
        with open(os.__file__) as file:
            fcntl.fcntl(file, fcntl.F_SETLEASE, kind)
            show('lease', kind, 'SECRET-OF-THE-' + 'INSTRUCTOR')
    except OSError: pass
""",
    ),
    Attack(
        "devices",
        "changes the machine's own devices, whose times all sandboxes see",
        "files on disk, other students",
        "there a student's code is the instructor, whose devices they may be",
        cell="""
import os, stat
# Those in its folders are a sandbox's own.
for path in (f'/dev/{name}' for name in os.listdir('/dev')):
    found = os.lstat(path)
    if not stat.S_ISCHR(found.st_mode): continue
    for change in (lambda: os.chmod(path, stat.S_IMODE(found.st_mode)), lambda: os.utime(path)):
        try:
            change()
            show(path, 'SECRET-OF-THE-' + 'INSTRUCTOR')
        except OSError: pass
""",
    ),
    Attack(
        "modules-of-the-kernel",
        "modules beside the notebook that IPython and its kernel look for and do without where they are missing",
        "numpy.py",
        "as with numpy.py, only that nobody needs them",
        change=beside(
            **{
                f"{name}__py": "import autograde_tests\nautograde_tests.check = lambda *a, **k: 4\n"
                + wrote("modules-of-the-kernel")
                for name in ("ipyparallel", "gi", "trio", "curio", "pandas", "cloudpickle", "appnope", "rich", "orjson")
            }
        ),
    ),
    Attack(
        "sitecustomize",
        "a sitecustomize.py in the course's folder, for every Python that starts there afterwards",
        "sitecustomize",
        # Debian's Python, where it is that one.
        "the system's Python has a sitecustomize of its own, which comes first"
        if importlib.util.find_spec("sitecustomize")
        else "effect",
        cell="open(f'{COURSE}/sitecustomize.py', 'w').write(f\"open({LOOT + '/' + ME!r}, 'w')\")",
        alone=True,
    ),
    Attack(
        "pth",
        "a .pth file in the environment's site-packages, for every Python that starts there afterwards",
        ".pth",
        "effect",
        cell="import site\nfor folder in site.getsitepackages():\n"
        "    open(f'{folder}/{TAG}.pth', 'w').write(f\"import os; open({LOOT + '/' + ME!r}, 'w')\")",
        alone=True,
    ),
    Attack(
        "ipython-startup",
        "a start-up file for every IPython kernel of the instructor",
        "IPython start-up files",
        "effect",
        cell="""
import os
folder = f'{HOME}/.ipython/profile_default/startup'
os.makedirs(folder, exist_ok=True)
open(f'{folder}/00.py', 'w').write(f"open({LOOT + '/' + ME!r}, 'w')")
""",
        alone=True,
    ),
    Attack(
        "symlink",
        "links to the home folder and to a neighbour's work, handed in as files",
        "symlinks",
        "leak",
        change=link_secret,
        cell="""
for name in ('notes.txt', 'folder/secret.txt', 'neighbour.txt'):
    try:
        show(open(name).read())
    except OSError:
        pass
""",
    ),
    Attack(
        "symlinked-notebook",
        "the notebook itself is a link to a neighbour's",
        "symlinks",
        "points",
        change=instead(lambda path, folder, place: path.symlink_to("../../ada/1-padding/padding.ipynb")),
        honest=0,
        exactly=False,
    ),
    Attack(
        "hard-link",
        "hard links to a secret and to the gradebook, handed in as files",
        "hard links",
        "leak",
        change=hard_link_secret,
        cell="show(open('notes.txt').read())\nshow(open('mine.db', errors='replace').read())\nopen('mine.db', 'w').write('gone')",
    ),
    Attack(
        "archive",
        "an archive with ../ and absolute paths beside the notebook, unpacked by the submission",
        "path traversal in archives, zip bombs",
        "Python's zipfile drops ../ by itself; tarfile is the one that writes where it is told",
        change=bomb_archive,
        cell="import zipfile\nzipfile.ZipFile('data.zip').extractall('.')",
    ),
    Attack(
        "tar-traversal",
        "a tar archive that unpacks into a neighbour's folder and outside",
        "path traversal in archives",
        "effect",
        cell="""
import io, tarfile
raw = io.BytesIO()
with tarfile.open(fileobj=raw, mode='w') as archive:
    for name in (f'{LOOT}/{ME}', f'{COURSE}/submitted/ada/1-padding/{ME}.txt'):
        archive.addfile(tarfile.TarInfo(name))
raw.seek(0)
# Older Pythons have no filters, newer ones one of their own.
tarfile.TarFile.extraction_filter = staticmethod(lambda member, path: member)
tarfile.open(fileobj=raw).extractall('/')
""",
    ),
    Attack(
        "fifo",
        "a FIFO beside the notebook: who opens it waits for ever",
        "FIFOs",
        "page",
        change=lambda notebook, folder, place: os.mkfifo(folder / "data.csv"),
    ),
    Attack(
        "fifo-notebook",
        "a FIFO instead of the notebook",
        "FIFOs",
        "stops",
        change=instead(lambda path, folder, place: os.mkfifo(path)),
        honest=0,
        alone=True,
    ),
    Attack("socket", "a Unix socket beside the notebook", "sockets", "page", change=listening_socket),
    Attack(
        "device-link",
        "a link to /dev/zero beside the notebook: who copies it never ends",
        "symlinks, disk",
        "it would fill the disk",
        change=lambda notebook, folder, place: (folder / "data.bin").symlink_to("/dev/zero"),
    ),
    Attack(
        "folder-notebook",
        "a folder named padding.ipynb",
        "symlinks",
        "page",
        change=instead(lambda path, folder, place: path.mkdir()),
        honest=0,
    ),
    Attack(
        "json-bomb",
        "JSON nested 100,000 deep",
        "JSON bombs",
        "page",
        change=instead(lambda path, folder, place: path.write_text(nested(100_000))),
        honest=0,
    ),
    Attack(
        "json-numbers",
        "numbers that are none: NaN, 1e999, and an integer of 5,000 digits",
        "JSON bombs",
        "page",
        change=instead(lambda path, folder, place: path.write_text('{"cells": [NaN, 1e999, ' + "9" * 5000 + "]}")),
        honest=0,
    ),
    Attack(
        "notebook-bomb",
        "metadata nested 600 deep in an otherwise right notebook",
        "notebook bombs",
        "page",
        change=lambda notebook, folder, place: notebook.metadata.update(deep=json.loads(nested(600))),
        exactly=False,
    ),
    Attack(
        "many-cells",
        "a notebook of 20,000 empty Markdown cells and a line of 5 million characters",
        "notebook bombs",
        "it costs stock nbgrader minutes, not points",
        change=lambda notebook, folder, place: notebook.cells.extend(
            [{"cell_type": "markdown", "id": f"m{n}", "metadata": {}, "source": ""} for n in range(20_000)]
            + [{"cell_type": "markdown", "id": "long", "metadata": {}, "source": "x" * 5_000_000}]
        ),
        exactly=False,
    ),
    Attack(
        "writes-neighbour",
        "writes a neighbour's submission, which is graded later",
        "other students, racing",
        "stops",
        cell="open(f'{COURSE}/submitted/zoe/1-padding/padding.ipynb', 'w').write('{}')",
        alone=True,
    ),
]
