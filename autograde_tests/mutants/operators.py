"""What cosmic-ray's operators leave alone: arguments left out, texts emptied, rows taken for columns."""

from cosmic_ray.operators.operator import Operator


class _Places(Operator):
    """An operator that says how often it can change a node, and changes it; cosmic-ray wants positions in the text."""

    def mutation_positions(self, node):
        return [(node.start_pos, node.end_pos)] * len(self.choices(node))

    def choices(self, node) -> list:
        """What the node can be changed to, or what can be left out of it."""
        raise NotImplementedError

    @classmethod
    def examples(cls):
        return ()


class ArgumentRemover(_Places):
    """Leaves one argument of a call out."""

    def choices(self, node):
        if node.type == "trailer" and node.children[0] == "(" and len(node.children) == 3:
            inside = node.children[1]
            return [one for one in inside.children if one != ","] if inside.type == "arglist" else [inside]
        return []

    def mutate(self, node, index):
        argument = self.choices(node)[index]
        siblings = argument.parent.children
        place = siblings.index(argument)
        # With its comma, the one before it where there is one; a lone argument has none.
        first = place - 1 if place and siblings[place - 1] == "," else place
        del siblings[first : first + (2 if argument.parent.type == "arglist" else 1)]
        return node


class TextEmptier(_Places):
    """Makes a text empty; a docstring stays."""

    def choices(self, node):
        return ['""'] if node.type == "string" and node.parent.type != "simple_stmt" else []

    def mutate(self, node, index):
        node.value = self.choices(node)[index]
        return node


class OtherAxis(_Places):
    """Reads the columns' variable in place of the rows', or the other way round."""

    def choices(self, node):
        if node.type != "name" or node.is_definition():
            return []
        return [node.value.replace(axis, other) for axis, other in _OTHER_AXIS.items() if axis in node.value]

    def mutate(self, node, index):
        node.value = self.choices(node)[index]
        return node


_OTHER_AXIS = {"row": "column", "column": "row", "top": "left", "left": "top"}
