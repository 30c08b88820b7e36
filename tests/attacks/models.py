"""The notebook that has Keras: models that claim to be the right network, or to be trained."""

from . import KERAS, Attack
from .course import ROOT

KIND = "Keras models"
LESSON = KERAS

PATCHED = "patching the check's own process is shown with another notebook, which takes no Keras"
STRUCTURE = 6.5
"""What is asked about layers, shapes and weights: whoever lies about it has to know it. What it computes is 1.5 more."""

# The right network in words, without one.
CLAIM = """
from types import SimpleNamespace
SHAPES = ((3, 3, 1, 2), (2,), (2, 2, 2, 3), (3,), (12, 8), (8,), (8, 3), (3,))
CLAIMS = [
    ('Conv2D', (8, 8, 2), 20, SHAPES[:2], 'relu', 2, (3, 3), None),
    ('MaxPooling2D', (4, 4, 2), 0, (), None, None, None, None),
    ('Conv2D', (4, 4, 3), 27, SHAPES[2:4], 'relu', 3, (2, 2), None),
    ('MaxPooling2D', (2, 2, 3), 0, (), None, None, None, None),
    ('Flatten', (12,), 0, (), None, None, None, None),
    ('Dense', (8,), 104, SHAPES[4:6], 'relu', None, None, 8),
    ('Dense', (3,), 27, SHAPES[6:], 'softmax', None, None, 3),
]
NAMES = ('kind', 'output_shape', 'params', 'weight_shapes', 'activation', 'filters', 'kernel_size', 'units')
def described():
    from convblocks.keras_model import Description
    layers = [dict(zip(NAMES, claim)) | {'weight_shapes': list(claim[3])} for claim in CLAIMS]
    return Description((None, 8, 8, 1), layers, [np.zeros(shape) for shape in SHAPES], np.full((3, 3), 1 / 3))
def layer(kind, output_shape, params, weight_shapes, activation, filters, kernel_size, units):
    made = type(kind, (), {'count_params': lambda self: params})()
    made.output = SimpleNamespace(shape=(None, *output_shape))
    made.weights = [SimpleNamespace(shape=shape) for shape in weight_shapes]
    made.activation, made.filters, made.kernel_size, made.units = SimpleNamespace(__name__=activation), filters, kernel_size, units
    return made
"""


def link_weights(notebook, folder, place):
    (folder / "weights.npz").symlink_to(ROOT / "source" / "6-shapes-classifier" / "weights.npz")


ATTACKS = [
    Attack(
        "lying-model",
        "a subclass of the model whose count_params, get_weights and summary are made up",
        "lying model",
        "the description asks the layers",
        functions={
            "build_model": CLAIM
            + """
class Lie(keras.Sequential):
    def count_params(self): return 178
    def get_weights(self): return [np.ones(shape) for shape in SHAPES]
    def set_weights(self, weights): pass
    def __call__(self, images, **more): return np.full((len(images), 3), 1 / 3)
def build_model():
    return Lie([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
"""
        },
        # Its input is right.
        honest=0.5,
        exactly=False,
    ),
    Attack(
        "lying-layers",
        "a subclass of the model whose layers are made up, each with the right name, shapes and number of weights",
        "lying model",
        "the description asks the layers there as well",
        functions={
            "build_model": CLAIM
            + """
class Lie(keras.Sequential):
    layers = property(lambda self: [layer(*claim) for claim in CLAIMS])
    def set_weights(self, weights): pass
def build_model():
    return Lie([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
"""
        },
        honest=STRUCTURE,
        exactly=False,
    ),
    Attack(
        "own-description",
        "the description of the right network, written by hand, instead of a network",
        "lying model",
        "check() takes a description for a model there as well",
        functions={"build_model": CLAIM + "build_model = described"},
        honest=STRUCTURE,
        exactly=False,
    ),
    Attack(
        "patched-describe",
        "convblocks' own describe and is_model are replaced, so that anything is the right network",
        "tampered stub, redefined check",
        PATCHED,
        functions={
            "build_model": CLAIM
            + """
import convblocks.transfer as transfer
transfer.is_model = lambda value: True
transfer.describe = lambda *given: described()
keras.Model = object
def build_model():
    return 'the right network'
"""
        },
        honest=STRUCTURE,
        exactly=False,
    ),
    Attack(
        "layers-without-numbers",
        "a description with giant arrays where layers, weights and numbers are expected",
        "zero-stride giant, lying model",
        "there is no other process that could be filled",
        functions={
            "build_model": CLAIM
            + """
def build_model():
    made = described()
    made.layers = np.zeros((3_000_000, 0))
    made.weights = [np.zeros((1, 10**9, 64, 0))] * 1000
    return made
"""
        },
        honest=0,
    ),
    Attack(
        "untrained-model",
        "train returns the model with its first weights, of a class that looks at the training set for every answer",
        "lying model",
        PATCHED,
        functions={
            "train": """
def train(model, images, labels):
    known = np.asarray(images, dtype='float32').reshape(len(images), -1)
    class Nearest(type(model)):
        def __call__(self, asked, **more):
            asked = np.asarray(asked, dtype='float32').reshape(len(asked), -1)
            near = (asked**2).sum(1)[:, None] - 2 * asked @ known.T + (known**2).sum(1)
            return np.eye(3)[np.asarray(labels)[near.argmin(axis=1)]]
        predict = __call__
    model.__class__ = Nearest
    return model
"""
        },
        honest=8,
    ),
    Attack(
        "linked-weights",
        "the instructor's trained weights, over a link that was handed in as a file",
        "symlinks, files on disk",
        "points",
        change=link_weights,
        functions={
            "train": """
def train(model, images, labels):
    weights = np.load('weights.npz')
    model.set_weights([weights[name] for name in weights.files])
    return model
"""
        },
        honest=8,
    ),
    Attack(
        "reference-weights",
        "the trained weights of the hidden tests' own reference",
        "files on disk",
        "points",
        functions={
            "train": """
def train(model, images, labels):
    from autograde_tests.reference import load_weights
    model.set_weights(load_weights())
    return model
"""
        },
        honest=8,
    ),
    Attack(
        "downloaded-weights",
        "weights trained elsewhere, over the network",
        "network",
        "effect",
        functions={
            "train": """
def train(model, images, labels):
    keras.utils.get_file('weights.npz', f'http://127.0.0.1:{PORT}/{ME}')
    return model
"""
        },
        honest=8,
    ),
    Attack(
        "keras-threads",
        "threads without end, in the notebook that is allowed more of them",
        "thread bombs",
        "it could take this machine down",
        functions={
            "train": """
import threading, time
def train(model, images, labels):
    while True:
        threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
"""
        },
        honest=8,
    ),
    Attack(
        "keras-memory",
        "tensors until there is no memory, in the notebook that is allowed more of it",
        "memory",
        "it could take this machine down",
        functions={
            "train": """
def train(model, images, labels):
    hoard = []
    while True:
        hoard.append(keras.ops.ones((10, 1000, 1000)) * len(hoard))
"""
        },
        honest=8,
    ),
    Attack(
        "keras-poison",
        "patches Keras, writes to all that is open, and kills whoever it can find, in a kernel of the parent that has Keras",
        "poisoning a warm worker, killing the supervisor, file descriptors",
        "stock starts a kernel for each notebook",
        functions={
            "train": """
import os, signal
def train(model, images, labels):
    keras.Sequential = keras.Model = keras.layers.Dense = keras.layers.Conv2D = lambda *a, **k: None
    keras.backend.set_floatx('float16')
    keras.utils.set_random_seed = lambda seed: None
    for number in range(3, 300):
        try: os.write(number, b'4194303')
        except OSError: pass
    for process in (1, os.getppid(), *map(int, filter(str.isdigit, os.listdir('/proc')))):
        if process not in (0, os.getpid()):
            try: os.kill(process, signal.SIGKILL)
            except OSError: pass
    return model
"""
        },
        honest=8,
    ),
]
