"""Dan's work is the solution but for one bug: his conv2d flips the kernel."""


def conv2d(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    images = np.asarray(images)
    kernel = np.asarray(kernel)[::-1, ::-1]
    kernel_rows, kernel_columns, _, filters = kernel.shape
    row_step, column_step = (strides, strides) if isinstance(strides, int) else strides
    padded = pad2d(images, (kernel_rows, kernel_columns), (row_step, column_step), padding)
    rows = output_size(padded.shape[1], kernel_rows, row_step)
    columns = output_size(padded.shape[2], kernel_columns, column_step)
    output = np.zeros((len(padded), rows, columns, filters))
    for row in range(rows):
        for column in range(columns):
            top, left = row * row_step, column * column_step
            patch = padded[:, top : top + kernel_rows, left : left + kernel_columns]
            for number in range(filters):
                output[:, row, column, number] = (patch * kernel[..., number]).sum(axis=(1, 2, 3))
    if bias is not None:
        output = output + bias
    return activate(output, activation)
