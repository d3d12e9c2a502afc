"""The lowest layer: `Architecture`, `Measurement` and their store in Neo4j."""
