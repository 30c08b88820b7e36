"""What is compiled says of everything what nbformat and nbgrader say of it."""

import jsonschema
import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_output
from nbgrader.nbgraderformat import MetadataValidator

from grading.validation import compile_schemas

compile_schemas()

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "name", "text", "metadata"]), inner)
    ),
    max_leaves=6,
)
OUTPUTS = st.fixed_dictionaries(
    {"output_type": st.sampled_from(["stream", "display_data", "execute_result", "error", "other"])},
    optional={
        "name": st.sampled_from(["stdout", "x"]) | JSON,
        "text": st.text(max_size=3) | JSON,
        "data": st.dictionaries(st.sampled_from(["text/plain", "application/json"]), JSON) | JSON,
        "metadata": st.just({}) | JSON,
        "execution_count": st.none() | st.integers() | JSON,
        "ename": st.text(max_size=3) | JSON,
        "evalue": st.text(max_size=3),
        "traceback": st.lists(st.text(max_size=3)) | JSON,
    },
)


def fits(output: dict) -> bool:
    try:
        nbformat.validate(nbformat.from_dict(output), ref="output", version=4, version_minor=5)
    except nbformat.ValidationError:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(OUTPUTS)
def test_of_an_output_it_says_what_the_slow_one_says(output):
    schema = nbformat.validator.get_validator(4, 5, name="jsonschema")
    slow = schema._default_validator.evolve(schema={"$ref": "#/definitions/output"})
    assert fits(output) == slow.is_valid(nbformat.from_dict(output))


def test_it_says_what_is_wrong():
    with pytest.raises(nbformat.ValidationError, match="5 is not valid"):
        new_output("stream", text=5)


@pytest.mark.parametrize("wrong", [{"points": "3"}, {"grade": 1}, {"grade_id": None}, {"solution": None}])
def test_of_a_cells_metadata_it_says_what_nbgrader_says(wrong):
    right = {
        "grade": True,
        "solution": False,
        "locked": True,
        "task": False,
        "points": 3,
        "grade_id": "a",
        "schema_version": 3,
    }
    right |= {"cell_type": "code"}
    MetadataValidator().validate_cell(new_code_cell(metadata={"nbgrader": right}))
    with pytest.raises(jsonschema.ValidationError):
        MetadataValidator().validate_cell(new_code_cell(metadata={"nbgrader": right | wrong}))
