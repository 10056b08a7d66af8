{{/* One pool for each login, in transaction mode; what each setting is for is in docs/scaling.md. */}}
{{- define "loyalty.pgbouncerConfig" -}}
{{- with .Values.pgbouncer -}}
pgbouncer.ini: |
  [databases]
  * = host={{ .host | default (include "loyalty.postgresHost" $) }} port={{ .port }}
  [users]
  loyalty_app = pool_size={{ .pool.app }}
  loyalty_worker = pool_size={{ .pool.worker }}
  loyalty_audit = pool_size={{ .pool.audit }}
  [pgbouncer]
  listen_addr = *
  listen_port = 6432
  unix_socket_dir =
  auth_type = scram-sha-256
  auth_file = /run/loyalty/userlist.txt
  pool_mode = transaction
  max_prepared_statements = 200
  default_pool_size = 20
  max_client_conn = {{ .maxClients }}
  query_wait_timeout = 5
  server_tls_sslmode = prefer
  log_connections = 0
  log_disconnections = 0
{{- end }}
{{- end }}
