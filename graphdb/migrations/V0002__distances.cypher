// Nearest neighbours by edit distance, within a domain: squared Euclidean distances estimate it.
CYPHER 25 CREATE VECTOR INDEX architecture_distance IF NOT EXISTS
FOR (a:Architecture) ON a.distance_embedding WITH [a.domain]
OPTIONS {indexConfig: {`vector.dimensions`: 128, `vector.similarity_function`: 'euclidean'}};
