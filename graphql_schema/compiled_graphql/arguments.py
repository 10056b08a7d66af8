"""Arguments of a resolver's call, each as an expression of generated code."""

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from inspect import Parameter
from types import FunctionType, MethodType
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    ValueNode,
    VariableNode,
    is_non_null_type,
)
from graphql.execution.values import get_argument_values
from graphql.pyutils import Undefined
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from compiled_graphql.field import Field
from compiled_graphql.frozen import is_frozen
from compiled_graphql.inputs import ByTheBook
from compiled_graphql.literals import Template, variables_in
from compiled_graphql.source import Source, named
from compiled_graphql.variables import Variables


@dataclass(slots=True)
class Arguments:
    """Writes the arguments of one operation's fields."""

    source: Source
    variables: Variables
    before: dict[str, str] = dataclass_field(default_factory=dict)
    """Of the newest field: what is to be worked out before its call, by the name it gets."""

    def of(self, field: Field, definition: StrawberryField) -> list[str]:
        """`name=expression` for each argument that the resolver is to get.

        :raises ByTheBook: only graphql-core can tell
        """
        nodes = {each.name.value: each.value for each in field.nodes[0].arguments or ()}
        config = field.target.schema.schema_converter.config
        written, self.before = [], {}
        for argument in definition.arguments:
            shown = config.name_converter.from_argument(argument)
            given = field.definition.args[shown]
            if given.out_name not in (None, shown):
                raise ByTheBook
            node = nodes.get(shown)
            expression = self._one(field, definition, argument, shown, given, node)
            if expression is not None:
                written.append(f"{named(argument.python_name)}={expression}")
        return written

    def _one(
        self, field: Field, definition: StrawberryField, argument: StrawberryArgument, shown: str,
        given: GraphQLArgument, node: ValueNode | None,
    ) -> str | None:  # fmt: skip
        if node is None:
            return self._default(argument, given)
        if isinstance(node, VariableNode):
            return self._variable(definition, argument, given, node)
        if names := set(variables_in(node)):
            return self._template(field, argument, shown, node, names)
        only = GraphQLField(field.definition.type, {shown: given})
        try:
            coerced = get_argument_values(only, field.nodes[0])
        except Exception:  # it will say so again, in its place
            raise ByTheBook from None
        return self._value(next(iter(coerced.values())), argument.type)

    def _default(self, argument: StrawberryArgument, given: GraphQLArgument) -> str | None:
        default = coerce_default_value(given)
        return None if default is Undefined else self._value(default, argument.type)

    def _value(self, coerced: Any, kind: Any) -> str:
        """A coerced constant: as it is, or made anew for each call where it could be changed."""
        if not is_frozen(coerced):
            raise ByTheBook
        inputs = self.variables.inputs
        if inputs.is_kept_as_is(kind):
            return self.source.constant(coerced)
        inputs.check(kind)
        return f"{self.source.constant(lambda: inputs.convert(coerced, kind))}()"

    def _variable(
        self, definition: StrawberryField, argument: StrawberryArgument, given: GraphQLArgument,
        node: VariableNode,
    ) -> str:  # fmt: skip
        variable = self.variables[node.name.value]
        if is_non_null_type(given.type) and not is_non_null_type(variable.type):
            raise ByTheBook  # null would be an error of the field
        expression = self.variables.use(variable, argument.type)
        if variable.is_always_there:
            return expression
        missing = self._default(argument, given) or self._of_python(definition, argument)
        return f"({missing} if (x := {expression}) is MISSING else x)"

    def _of_python(self, definition: StrawberryField, argument: StrawberryArgument) -> str:
        """What the resolver itself takes where the argument is left out."""
        resolver = definition.base_resolver
        function: Any = resolver.wrapped_func if resolver else None
        if isinstance(function, MethodType):
            function = function.__func__
        if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
            raise ByTheBook
        assert resolver is not None
        parameter = resolver.signature.parameters.get(argument.python_name)
        if parameter is None or parameter.default is Parameter.empty:
            raise ByTheBook
        return self.source.constant(parameter.default)

    def _template(
        self, field: Field, argument: StrawberryArgument, shown: str, node: ValueNode,
        names: set[str],
    ) -> str:  # fmt: skip
        """A literal with variables in it."""
        self.variables.inputs.check(argument.type)
        indexes = {name: self.variables.use_coerced(name) for name in names}
        template = Template(field, shown, node, argument.type, indexes)
        given = self.source.new("a")
        self.before[given] = f"{self.source.constant(template.coerced)}(R)"
        return f"{self.source.constant(template.built)}({given})"
