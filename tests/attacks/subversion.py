"""Code that bends the tests instead of passing them."""

from . import Attack

KIND = "Test subversion"

ATTACKS = [
    Attack(
        "numpy-asserts",
        "np.allclose and np.testing say yes to everything",
        "np.allclose, np.testing",
        "points",
        functions={
            "pad2d": """
np.allclose = np.array_equal = lambda *a, **k: True
np.isclose = lambda a, b, **k: np.ones(np.broadcast(a, b).shape, dtype=bool)
for name in dir(np.testing):
    if name.startswith('assert'):
        setattr(np.testing, name, lambda *a, **k: None)
def pad2d(images, kernel_size, strides=(1, 1), padding='same'):
    sides = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    rows, columns = [side - 1 if padding == 'same' else 0 for side in sides]
    batch, height, width, channels = images.shape
    return np.full((batch, height + rows, width + columns, channels), 7.0)
"""
        },
    ),
    Attack(
        "builtins",
        "isinstance, float and round are replaced in builtins",
        "builtins, isinstance, float",
        "points",
        functions={
            "padding_amounts": """
import builtins
honest, number = isinstance, float
class Kind(type):
    def __instancecheck__(cls, thing): return honest(thing, number)
class AnyFloat(number, metaclass=Kind):
    def __new__(cls, value=0): return number(value)
    __eq__, __hash__ = (lambda self, other: True), number.__hash__
builtins.isinstance = lambda thing, kind: honest(thing, kind) or type(thing).__name__ == 'Yes'
builtins.float = AnyFloat
whole = round
builtins.round = lambda value, *digits: 4.0 if digits else whole(value)
# What names the mistake reads numbers as `float`, too.
np.isnan = lambda numbers: False
def padding_amounts(size, kernel_size, strides=1):
    return 0, 2
"""
        },
    ),
    Attack(
        "input-transformer",
        "an IPython input transformer blanks every later cell that checks",
        "input transformer",
        "points",
        cell="get_ipython().input_transformers_cleanup.append("
        "lambda lines: [] if any('check(' in line for line in lines) else lines)",
    ),
    Attack(
        "ast-transformer",
        "an AST transformer drops asserts and calls of check",
        "AST transformer",
        "points",
        cell="""
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
    def visit_Expr(self, node):
        return ast.copy_location(ast.Pass(), node) if 'check' in ast.unparse(node) else self.generic_visit(node)
    def visit_Assign(self, node):
        return ast.copy_location(ast.Pass(), node) if 'padding_amounts' in ast.unparse(node) else node
get_ipython().ast_transformers.append(Drop())
""",
    ),
    Attack(
        "display-hook",
        "the display hook shows 4 for whatever a cell returns",
        "display hook",
        "points",
        cell="""
hook = type(get_ipython().displayhook)
hook.compute_format_data = lambda self, result: ({'text/plain': '4'}, {})
""",
    ),
    Attack(
        "formatter",
        "a text formatter prints a score for the result's class",
        "formatter",
        "points",
        cell="""
formatter = get_ipython().display_formatter
type(formatter).format = lambda self, thing, *a, **k: ({'text/plain': '4', 'text/html': '<b>4 of 4</b>'}, {})
""",
    ),
    Attack(
        "quiet-tracebacks",
        "tracebacks are silenced, errors are reported as success, and every check is one",
        "silenced tracebacks",
        "points",
        cell="""
shell = get_ipython()
shell._showtraceback = shell.showtraceback = lambda *a, **k: None
run = shell.run_cell_async
async def quiet(*a, **k):
    result = await run(*a, **k)
    result.error_in_exec = result.error_before_exec = None
    return result
shell.run_cell_async = quiet
import autograde_tests
del autograde_tests.check
""",
    ),
    Attack(
        "do-execute",
        "the kernel's do_execute answers ok without running anything",
        "do_execute",
        "points",
        cell="""
async def nothing(*a, **k):
    return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}
get_ipython().kernel.do_execute = nothing
""",
    ),
    Attack(
        "own-check",
        "autograde_tests.check is replaced by a function that returns the points",
        "redefined check",
        "points",
        cell="import autograde_tests\nautograde_tests.check = lambda name, function, points: points",
    ),
    Attack(
        "own-stub",
        "every function of the seam is replaced by one that reports full marks",
        "tampered stub",
        "points",
        cell="""
import sys, types, autograde_tests
fake = types.ModuleType('autograde_tests')
fake.check = lambda name, function, points, **k: points
sys.modules['autograde_tests'] = fake
""",
    ),
    Attack(
        "meta-path",
        "an importer stands before all others and serves its own autograde_tests",
        "tampered stub",
        "points",
        cell="""
import importlib.abc, importlib.util, sys
class Serve(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == 'autograde_tests' else None
    def exec_module(self, module):
        module.check = lambda name, function, points: points
sys.meta_path.insert(0, Serve())
sys.modules.pop('autograde_tests', None)
""",
    ),
    Attack(
        "post-run-hook",
        "an IPython event publishes a result of its own before every cell",
        "display hook, results object",
        "points",
        cell="""
def forge(info):
    kernel = get_ipython().kernel
    content = {'data': {'text/plain': '4'}, 'metadata': {}, 'execution_count': 1}
    kernel.session.send(kernel.iopub_socket, 'execute_result', content, parent=kernel.get_parent())
get_ipython().events.register('pre_run_cell', forge)
""",
    ),
    Attack(
        "grader-module",
        "the grader's own module is patched from within",
        "redefined check",
        "points",
        cell="""
import autograde_tests.checking as grader
class Full:
    score = points = 4
    def __repr__(self): return '4'
grader.check = always = lambda *a, **k: Full()
import autograde_tests
autograde_tests.check = always
""",
    ),
]
