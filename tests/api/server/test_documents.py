"""Texts are read once; what was refused is read, and refused, again."""

import pytest
from graphql import GraphQLError

from api.schema.build import build_schema
from api.server.documents import Documents
from api.server.limits import Limits

SCHEMA = build_schema()


def accept(documents, text):
    document = documents.parse(None, {"query": text})
    assert documents.validate(SCHEMA, document) == []
    return document


def test_an_accepted_text_is_kept():
    documents = Documents(Limits(), introspection=True)
    assert accept(documents, "{ studies { name } }") is accept(documents, "{ studies { name } }")
    assert len(documents) == 1


def test_a_parsed_text_that_was_not_validated_is_not_kept():
    documents = Documents(Limits(), introspection=True)
    documents.parse(None, {"query": "{ studies { name } }"})
    assert len(documents) == 0


def test_a_refused_text_is_refused_every_time():
    documents = Documents(Limits(), introspection=True)
    for _ in range(2):
        document = documents.parse(None, {"query": "{ nothing }"})
        (error,) = documents.validate(SCHEMA, document)
        assert error.extensions["code"] == "GRAPHQL_VALIDATION_FAILED"
        with pytest.raises(GraphQLError):
            documents.parse(None, {"query": "{"})
    assert len(documents) == 0


def test_the_oldest_is_dropped():
    documents = Documents(Limits(documents=3), introspection=True)
    texts = [f"{{ studies(first: {i}) {{ name }} }}" for i in (1, 2, 3)]
    kept = [accept(documents, text) for text in texts]
    assert accept(documents, texts[0]) is kept[0]
    accept(documents, "{ studies { seed } }")
    assert len(documents) == 3
    assert accept(documents, texts[0]) is kept[0]
    assert accept(documents, texts[1]) is not kept[1]


def test_many_errors_are_cut_short():
    documents = Documents(Limits(), introspection=True)
    document = documents.parse(None, {"query": "{ studies {" + " ".join(f"wrong{i}" for i in range(200)) + "} }"})
    assert len(documents.validate(SCHEMA, document)) <= 11
