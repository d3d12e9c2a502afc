"""The ground floor: `Architecture`, `Measurement` and their store in Neo4j."""
