-- Extensions, trusted languages and event triggers of this database, ways out of it (foreign servers
-- and user mappings), and ways in (subscriptions).
-- `role` is the owner, of an event trigger's function too, or whom a language or a mapping serves (0
-- is PUBLIC); `detail` is what runs a language's code, an event trigger's function, what a server is
-- reached by, and whose a mapping is.
SELECT 'extension' AS kind, extname::text AS name, extowner::bigint AS role, '' AS detail
FROM pg_catalog.pg_extension
UNION ALL
SELECT 'trusted language', language.lanname::text, item.grantee::bigint,
       coalesce(handler.proname::text, language.lanname::text)
FROM pg_catalog.pg_language AS language
LEFT JOIN pg_catalog.pg_proc AS handler ON handler.oid = language.lanplcallfoid
CROSS JOIN LATERAL pg_catalog.aclexplode(
    coalesce(language.lanacl, pg_catalog.acldefault('l', language.lanowner))
) AS item
WHERE language.lanpltrusted
UNION ALL
SELECT 'foreign server', server.srvname::text, server.srvowner::bigint, wrapper.fdwname::text
FROM pg_catalog.pg_foreign_server AS server
JOIN pg_catalog.pg_foreign_data_wrapper AS wrapper ON wrapper.oid = server.srvfdw
UNION ALL
SELECT 'user mapping', mapping.srvname::text, mapping.umuser::bigint, mapping.usename::text
FROM pg_catalog.pg_user_mappings AS mapping
UNION ALL
SELECT 'event trigger', trigger.evtname::text, routine.proowner::bigint,
       routine.oid::pg_catalog.regprocedure::text
FROM pg_catalog.pg_event_trigger AS trigger
JOIN pg_catalog.pg_proc AS routine ON routine.oid = trigger.evtfoid
UNION ALL
SELECT 'subscription', subscription.subname::text, subscription.subowner::bigint, ''
FROM pg_catalog.pg_subscription AS subscription
JOIN pg_catalog.pg_database AS here
    ON here.oid = subscription.subdbid AND here.datname = pg_catalog.current_database()
ORDER BY 1, 2, 3
