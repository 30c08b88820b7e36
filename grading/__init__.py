"""How a course is run: making assignments, taking in submissions, running and scoring them, and what people see."""

import sys

# jsonschema imports it where it is there, to check addresses that no notebook has, and that takes longer than all else
# that a command of ours imports. None says that it is not there.
sys.modules.setdefault("rfc3987_syntax", None)
