{{/* What no schema can say: values that need or exclude one another. */}}
{{- define "loyalty.checks" -}}
{{- $secrets := .Values.secrets -}}
{{- $sources := 0 -}}
{{- if $secrets.existing }}{{ $sources = add1 $sources }}{{ end -}}
{{- if $secrets.generate }}{{ $sources = add1 $sources }}{{ end -}}
{{- if $secrets.external.enabled }}{{ $sources = add1 $sources }}{{ end -}}
{{- if ne (int $sources) 1 }}
{{- fail "secrets: name where they come from, by exactly one of secrets.existing, secrets.external.enabled and secrets.generate" }}
{{- end }}
{{- if and $secrets.external.enabled (not (and $secrets.external.store.name $secrets.external.entry)) }}
{{- fail "secrets.external: name the store (store.name) and the entry in it (entry)" }}
{{- end }}
{{- if and $secrets.generate (not .Values.postgres.enabled) }}
{{- fail "secrets.generate: made-up passwords are for the PostgreSQL of this chart (postgres.enabled); a managed one has its own (secrets.existing)" }}
{{- end }}
{{- if and $secrets.generate .Values.redis.enabled (not .Values.valkey.enabled) }}
{{- fail "secrets.generate: made-up passwords are for the Valkey of this chart: set valkey.enabled, or redis.enabled to false" }}
{{- end }}
{{- if .Values.networkPolicy.enabled }}
{{- if not (or .Values.postgres.enabled .Values.networkPolicy.postgres.to) }}
{{- fail "networkPolicy.postgres.to: say where PostgreSQL is, for example [{ipBlock: {cidr: 10.1.2.0/24}}]; nothing else is let out" }}
{{- end }}
{{- if and .Values.redis.enabled (not (or .Values.valkey.enabled .Values.networkPolicy.redis.to)) }}
{{- fail "networkPolicy.redis.to: say where Redis is, for example [{ipBlock: {cidr: 10.1.3.0/24}}], or set redis.enabled to false" }}
{{- end }}
{{- if and .Values.traces.endpoint (not .Values.networkPolicy.collector.to) }}
{{- fail "networkPolicy.collector.to: say where the collector of traces.endpoint is" }}
{{- end }}
{{- end }}
{{- if .Values.pgbouncer.enabled }}
{{- if not (or .Values.postgres.enabled .Values.pgbouncer.host) }}
{{- fail "pgbouncer.host: say where PostgreSQL is" }}
{{- end }}
{{- if not (or $secrets.generate .Values.pgbouncer.users) }}
{{- fail "pgbouncer.users: name a Secret with the key userlist.txt" }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.hosts: name at least one" }}
{{- end }}
{{- if and .Values.gateway.enabled (not .Values.gateway.parents) }}
{{- fail "gateway.parents: name the gateway" }}
{{- end }}
{{- $api := .Values.api }}
{{- if gt (int $api.autoscaling.minReplicas) (int $api.autoscaling.maxReplicas) }}
{{- fail "api.autoscaling: minReplicas is more than maxReplicas" }}
{{- end }}
{{- if and $api.trustedDocuments.revision (not $api.trustedDocuments.configMap) }}
{{- fail "api.trustedDocuments.configMap: name the ConfigMap whose revision this is" }}
{{- end }}
{{- if and $api.trustedDocuments.configMap (hasKey .Values.settings "LOYALTY_TRUSTED_DOCUMENTS") }}
{{- fail "settings.LOYALTY_TRUSTED_DOCUMENTS: api.trustedDocuments says it already; leave one of them out" }}
{{- end }}
{{- $needed := add $api.shutdown.preStopSeconds 26 }}
{{- if lt (int $api.shutdown.graceSeconds) (int $needed) }}
{{- fail (printf "api.shutdown.graceSeconds: at least %d, or what is under way is cut off: preStopSeconds, 1 of notice, 20 to finish, 5 to close" (int $needed)) }}
{{- end }}
{{- end }}
