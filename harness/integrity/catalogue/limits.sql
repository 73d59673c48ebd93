-- What all databases of the server share and a session uses up, and what holds this session back.
-- As text, in the units that SHOW gives.
SELECT
    setting.name,
    pg_catalog.current_setting(setting.name) AS value,
    setting.source
FROM pg_catalog.pg_settings AS setting
WHERE setting.name IN (
    'max_connections',
    'superuser_reserved_connections',
    'reserved_connections',
    'max_locks_per_transaction',
    'max_prepared_transactions',
    'statement_timeout',
    'lock_timeout',
    'idle_in_transaction_session_timeout',
    'temp_file_limit'
)
ORDER BY setting.name
