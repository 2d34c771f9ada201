-- What a broker's role needs, once the tables are there. Run it as their owner:
--   psql -v broker=chancery_broker -f grants.sql "$URL"
GRANT USAGE ON SCHEMA chancery TO :"broker";
GRANT SELECT ON chancery.migrations TO :"broker";
GRANT SELECT, INSERT, UPDATE, DELETE ON chancery.signing_keys, chancery.kept_documents TO :"broker";
GRANT SELECT, UPDATE ON chancery.key_ring, chancery.spent_counts TO :"broker";
GRANT SELECT, INSERT, DELETE ON chancery.spent_proofs TO :"broker";
GRANT SELECT, INSERT, UPDATE ON chancery.spending TO :"broker";
GRANT INSERT ON chancery.audit_records TO :"broker";
