// Identity: what the code creates once and finds again by its key.
CREATE CONSTRAINT migration_version IF NOT EXISTS FOR (m:Migration) REQUIRE m.version IS UNIQUE;
CREATE CONSTRAINT architecture_key IF NOT EXISTS FOR (a:Architecture) REQUIRE a.key IS UNIQUE;
CREATE CONSTRAINT measurement_key IF NOT EXISTS FOR (m:Measurement) REQUIRE m.key IS UNIQUE;
CREATE CONSTRAINT study_name IF NOT EXISTS FOR (s:Study) REQUIRE s.name IS UNIQUE;
CREATE CONSTRAINT surrogate_key IF NOT EXISTS FOR (s:Surrogate) REQUIRE s.key IS UNIQUE;
CREATE CONSTRAINT trial_index IF NOT EXISTS FOR ()-[t:TRIAL]-() REQUIRE (t.study, t.index) IS UNIQUE;

// Listings in key order within a domain or a space.
CREATE INDEX architecture_domain IF NOT EXISTS FOR (a:Architecture) ON (a.domain, a.key);
CREATE INDEX architecture_space IF NOT EXISTS FOR (a:Architecture) ON (a.space, a.key);
CREATE INDEX architecture_fingerprint IF NOT EXISTS FOR (a:Architecture) ON (a.fingerprint);

// Ranges of the measures that designs are most often chosen by.
CREATE INDEX measurement_latency IF NOT EXISTS FOR (m:Measurement) ON (m.measure_latency_s);
CREATE INDEX measurement_energy IF NOT EXISTS FOR (m:Measurement) ON (m.measure_energy_j);
CREATE INDEX measurement_area IF NOT EXISTS FOR (m:Measurement) ON (m.measure_area_mm2);
CREATE INDEX measurement_accuracy IF NOT EXISTS FOR (m:Measurement) ON (m.measure_accuracy);
CREATE INDEX measurement_simulator IF NOT EXISTS FOR (m:Measurement) ON (m.simulator);

// Nearest neighbours of an embedding, within a domain.
CYPHER 25 CREATE VECTOR INDEX architecture_embedding IF NOT EXISTS
FOR (a:Architecture) ON a.embedding WITH [a.domain]
OPTIONS {indexConfig: {`vector.dimensions`: 32, `vector.similarity_function`: 'cosine'}};
