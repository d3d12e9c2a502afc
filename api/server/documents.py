"""A cache of query texts, so that each is parsed and validated only once.

Parsing and validation are the larger part of answering a query, so accepted documents are kept by text, up to a fixed
number. Refused texts are never kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    TypeInfo,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.validation.specified_rules import recommended_rules

from api.server.limits import Limits, check, refusal

MAXIMUM_ERRORS = 10


class Documents:
    """The parser and validator of a schema, for ariadne's `query_parser` and `query_validator` hooks."""

    def __init__(self, limits: Limits, *, introspection: bool) -> None:
        self._limits = limits
        self._rules = (*specified_rules, *recommended_rules)
        if not introspection:
            self._rules += (NoSchemaIntrospectionCustomRule,)
        self._accepted: OrderedDict[str, DocumentNode] = OrderedDict()

    def __len__(self) -> int:
        return len(self._accepted)

    def parse(self, context: object, data: dict[str, Any]) -> DocumentNode:
        """Parses `data["query"]` within the limits that need no schema.

        Raises:
            GraphQLError: the text cannot be parsed or exceeds a limit.
        """
        document = self._document(data["query"])
        if get_operation_ast(document, data.get("operationName")) is None:
            raise refusal("BAD_USER_INPUT", "The text must hold one operation, or operationName name one of several.")
        return document

    def _document(self, text: str) -> DocumentNode:
        kept = self._accepted.get(text)
        if kept is not None:
            self._accepted.move_to_end(text)
            return kept
        try:
            document = parse(
                text,
                max_lexical_tokens=self._limits.tokens,
                max_comments=self._limits.tokens,
                max_source_length=self._limits.text_characters,
            )
        except GraphQLError as error:
            raise _with_code(error, "GRAPHQL_PARSE_FAILED") from None
        except RecursionError:
            raise refusal("TOO_DEEP", "The query is nested too deeply.") from None
        check(document, self._limits)
        return document

    def validate(
        self,
        schema: GraphQLSchema,
        document_ast: DocumentNode,
        rules: Collection[type[ASTValidationRule]] | None = None,
        max_errors: int | None = None,
        type_info: TypeInfo | None = None,
    ) -> list[GraphQLError]:
        """The errors by the standard rules; a text that was accepted before is not checked again.

        Args:
            schema: the schema of the document.
            document_ast: the document that `parse` returned.
            rules: the rules that ariadne would check, all of which are checked here.
            max_errors: ariadne's argument, unused.
            type_info: ariadne's argument, unused.
        """
        text = document_ast.loc.source.body if document_ast.loc else ""
        if self._accepted.get(text) is document_ast:
            return []
        errors = validate(schema, document_ast, self._rules, max_errors=MAXIMUM_ERRORS)
        if not errors:
            self._keep(text, document_ast)
        return [_with_code(error, "GRAPHQL_VALIDATION_FAILED") for error in errors]

    def _keep(self, text: str, document: DocumentNode) -> None:
        self._accepted[text] = document
        while len(self._accepted) > self._limits.documents:
            self._accepted.popitem(last=False)


def _with_code(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    return error
