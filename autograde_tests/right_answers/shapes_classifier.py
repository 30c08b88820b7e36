"""Right ways to put the network together, in NumPy and in Keras, and to train it."""

import itertools

import numpy as np

from autograde_tests.right_answers import right_answer


@right_answer("forward")
def with_einsum(images, weights):
    """Windows and einsum, everything at once."""
    x = np.asarray(images, dtype=float)
    for kernel, bias in zip(weights[0:4:2], weights[1:4:2], strict=True):
        rows, columns = kernel.shape[:2]
        x = np.pad(x, ((0, 0), ((rows - 1) // 2, rows // 2), ((columns - 1) // 2, columns // 2), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), axis=(1, 2))
        x = np.maximum(np.einsum("nhwcij,ijcf->nhwf", windows, kernel) + bias, 0)
        x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).max(axis=(2, 4))
    x = np.maximum(x.reshape(len(x), -1) @ weights[4] + weights[5], 0)
    powers = np.exp(x @ weights[6] + weights[7])
    return powers / powers.sum(axis=1, keepdims=True)


@right_answer("forward")
def pooled_before_relu(images, weights):
    """Max pooling and relu commute; in float32, with shifted copies instead of windows."""
    weights = [np.asarray(one, dtype=np.float32) for one in weights]
    x = np.asarray(images, dtype=np.float32)
    for kernel, bias in (weights[:2], weights[2:4]):
        rows, columns = kernel.shape[:2]
        padded = np.pad(x, ((0, 0), ((rows - 1) // 2, rows // 2), ((columns - 1) // 2, columns // 2), (0, 0)))
        total = np.zeros((*x.shape[:3], kernel.shape[3]), dtype=np.float32) + bias
        for row, column in np.ndindex(rows, columns):
            total += padded[:, row : row + x.shape[1], column : column + x.shape[2]] @ kernel[row, column]
        pooled = np.maximum(total[:, ::2], total[:, 1::2])
        x = np.maximum(np.maximum(pooled[:, :, ::2], pooled[:, :, 1::2]), 0)
    x = np.maximum(x.reshape(len(x), 12) @ weights[4] + weights[5], 0)
    x = x @ weights[6] + weights[7]
    powers = np.exp(x - x.max(axis=1)[:, np.newaxis])
    return powers / powers.sum(axis=1)[:, np.newaxis]


@right_answer("forward")
def one_by_one_in_loops(images, weights):
    """Plain loops over one drawing at a time; nested lists come out."""
    answers = []
    for image in images:
        x = image
        for kernel, bias in (weights[0:2], weights[2:4]):
            rows, columns, _, filters = kernel.shape
            high, wide = x.shape[:2]
            conv = np.zeros((high, wide, filters))
            for row, column, down, right in itertools.product(range(high), range(wide), range(rows), range(columns)):
                at_row, at_column = row + down - (rows - 1) // 2, column + right - (columns - 1) // 2
                if 0 <= at_row < high and 0 <= at_column < wide:
                    conv[row, column] += x[at_row, at_column] @ kernel[down, right]
            conv = (conv + bias) * (conv + bias > 0)
            x = np.zeros((high // 2, wide // 2, filters))
            for row, column in itertools.product(range(high // 2), range(wide // 2)):
                x[row, column] = conv[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].max(axis=(0, 1))
        hidden = [max(0.0, sum(x.ravel() * weights[4][:, unit]) + weights[5][unit]) for unit in range(8)]
        sums = [sum(hidden * weights[6][:, unit]) + weights[7][unit] for unit in range(3)]
        powers = [np.exp(one) for one in sums]
        answers.append([one / sum(powers) for one in powers])
    return answers


@right_answer("forward")
def as_one_table(images, weights):
    """Each convolution as one big table of weights, like a dense layer."""

    def table(kernel, size):
        rows, columns, channels, filters = kernel.shape
        big = np.zeros((size, size, channels, size, size, filters))
        for row, column, down, right in itertools.product(range(size), range(size), range(rows), range(columns)):
            at_row, at_column = row + down - (rows - 1) // 2, column + right - (columns - 1) // 2
            if 0 <= at_row < size and 0 <= at_column < size:
                big[at_row, at_column, :, row, column] = kernel[down, right]
        return big.reshape(size * size * channels, -1)

    kernel_1, bias_1, kernel_2, bias_2, kernel_3, bias_3, kernel_4, bias_4 = weights
    x = np.reshape(images, (len(images), -1))
    for kernel, bias, size in ((kernel_1, bias_1, 8), (kernel_2, bias_2, 4)):
        x = (x @ table(kernel, size)).reshape(len(x), size, size, -1) + bias
        x = x.clip(min=0)
        corners = [x[:, down::2, right::2] for down in (0, 1) for right in (0, 1)]
        x = np.max(corners, axis=0).reshape(len(x), -1)
    x = (x @ kernel_3 + bias_3).clip(0)
    x = x @ kernel_4 + bias_4
    return np.exp(x - np.log(np.exp(x).sum(axis=-1, keepdims=True)))


@right_answer("predict")
def from_indices(images, weights):
    names = "triangle", "square", "circle"
    return [names[place] for place in np.argmax(with_einsum(images, weights), axis=1)]


@right_answer("predict")
def array_of_names(images, weights):
    return np.array(["triangle", "square", "circle"])[with_einsum(images, weights).argmax(axis=-1)]


@right_answer("predict")
def with_a_dict(images, weights):
    found = []
    for row in one_by_one_in_loops(images, weights):
        chances = dict(zip(["triangle", "square", "circle"], row, strict=True))
        found.append(max(chances, key=chances.get))
    return found


@right_answer("predict")
def one_at_a_time(images, weights):
    names = []
    for number in range(len(images)):
        triangle, square, circle = pooled_before_relu(images[number : number + 1], weights)[0]
        if triangle > square and triangle > circle:
            names.append("triangle")
        else:
            names.append("square" if square > circle else "circle")
    return tuple(names)


@right_answer("build_model")
def added_one_by_one():
    import keras
    from keras import layers

    model = keras.Sequential(name="shapes")
    model.add(keras.Input(shape=(8, 8, 1), name="drawing"))
    model.add(layers.Conv2D(filters=2, kernel_size=(3, 3), strides=(1, 1), padding="same", activation="relu"))
    model.add(layers.MaxPooling2D(pool_size=(2, 2), strides=2, padding="same"))
    model.add(layers.Conv2D(filters=3, kernel_size=(2, 2), padding="same", activation="relu"))
    model.add(layers.MaxPool2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(8, activation="relu"))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.summary()
    return model


@right_answer("build_model")
def functional():
    import keras
    from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D

    inputs = keras.Input((8, 8, 1))
    x = MaxPooling2D(2)(Conv2D(2, 3, padding="same", activation=keras.activations.relu)(inputs))
    x = MaxPooling2D(2)(Conv2D(3, 2, padding="same", activation=keras.ops.relu)(x))
    x = Dense(8, activation="relu")(Flatten()(x))
    return keras.Model(inputs, Dense(3, activation="softmax")(x))


@right_answer("build_model")
def activations_of_their_own():
    """Activations as layers, relu after the pooling, which commutes with it."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            layers.InputLayer(shape=(8, 8, 1)),
            layers.Conv2D(2, 3, padding="same"),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(3, 2, padding="same"),
            layers.MaxPooling2D(),
            layers.Activation("relu"),
            layers.Reshape((12,)),
            layers.Dense(8),
            layers.Activation(keras.activations.relu),
            layers.Dense(3),
            layers.Softmax(),
        ]
    )


@right_answer("build_model")
def in_two_parts():
    import keras
    from keras import layers

    eyes = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(3, 2, padding="same", activation="relu"),
            layers.MaxPooling2D(),
        ]
    )
    return keras.Sequential([eyes, layers.Flatten(), layers.Dense(8, "relu"), layers.Dense(3, "softmax")])


@right_answer("train")
def large_steps(model, images, labels):
    import keras

    keras.utils.set_random_seed(0)
    model.compile(optimizer=keras.optimizers.Adam(0.015), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, batch_size=64, epochs=15, verbose=0)
    return model


@right_answer("train")
def one_hot_labels(model, images, labels):
    """Labels as rows of zeros and a one, part of the drawings held back, and talk on the way."""
    import keras

    keras.utils.set_random_seed(1)
    model.compile(keras.optimizers.Adam(0.015), "categorical_crossentropy", metrics=["accuracy"])
    wanted = keras.utils.to_categorical(labels, 3)
    model.fit(images, wanted, epochs=15, batch_size=64, validation_split=0.1, verbose=2)
    return model
