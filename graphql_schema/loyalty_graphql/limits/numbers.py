"""The numbers. Each is far above what an app needs and far below what hurts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loyalty_graphql.paging import PAGE_DEFAULT, PAGE_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits on one operation, its fragments put in.

    `cost` is in objects: an object costs 1 and a plain value a tenth, times the sizes of the lists
    they stand in. A list takes the size of its page, else of the list argument that names its
    items, else `list_sizes` (by `Type.field`), else `list_size`. `list_arguments` are the lists of
    input types that may be longer than `list_argument`, by `InputType.field`.
    """

    tokens: int = 1_000
    comments: int = 200
    document_length: int = 64_000
    depth: int = 10
    introspection_depth: int = 20
    aliases: int = 15
    directives: int = 20
    fields: int = 500
    repeats: int = 20
    cost: int = 1_500
    query_fields: int = 10
    mutation_fields: int = 5
    money_fields: int = 1
    page: int = PAGE_MAX
    page_default: int = PAGE_DEFAULT
    list_size: int = 5
    list_sizes: Mapping[str, int] = field(default_factory=dict)
    list_argument: int = 100
    list_arguments: Mapping[str, int] = field(default_factory=dict)
    text: int = 4_096
