"""nbformat's and nbgrader's own validation, compiled once: grading validates some twenty parts of every notebook.

What does not fit is looked at once more in their own, slower way, which says why.
"""

import json
from collections.abc import Hashable

import fastjsonschema
import jsonschema
import nbgrader.nbgraderformat.common
from nbformat import json_compat

_COMPILED: dict[Hashable, object] = {}


def _fits(data, key: Hashable, schema: dict) -> bool:
    """Whether data are as a schema says; the key stands for that schema."""
    try:
        if key not in _COMPILED:
            _COMPILED[key] = fastjsonschema.compile(schema, use_default=False)
        _COMPILED[key](data)
    except fastjsonschema.JsonSchemaException:
        return False
    return True


_all_errors = json_compat.FastJsonSchemaValidator.iter_errors


def _errors(validator, data, schema=None):
    """nbformat compiles what a whole notebook has to be; here also what a part of it has to be, such as an output."""
    if schema is not None:
        # nbformat keeps its validators.
        key = id(validator), json.dumps(schema)
        whole = {part: validator._schema[part] for part in ("$schema", "definitions")}
        if _fits(data, key, whole | {"allOf": [schema]}):
            return []
    return _all_errors(validator, data, schema)


class _JsonSchema:
    """In place of the module for nbgrader: that one would check each time whether the schema is one."""

    @staticmethod
    def validate(instance, schema: dict) -> None:
        if not _fits(instance, json.dumps(schema), schema):
            jsonschema.validate(instance, schema)


def compile_schemas() -> None:
    """From now on, in this process."""
    json_compat.FastJsonSchemaValidator.iter_errors = _errors
    nbgrader.nbgraderformat.common.jsonschema = _JsonSchema
