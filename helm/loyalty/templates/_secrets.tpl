{{/* Secrets reach a process as files, each process only its own. */}}

{{- define "loyalty.secretName" -}}
{{- .Values.secrets.existing | default (printf "%s-secrets" (include "loyalty.fullname" .)) }}
{{- end }}

{{/* Settings by the names of the keys that hold them. */}}
{{- define "loyalty.secretSettings" -}}
database: LOYALTY_DATABASE_URL
appDatabase: LOYALTY_APP_DATABASE_URL
workerDatabase: LOYALTY_WORKER_DATABASE_URL
auditDatabase: LOYALTY_AUDIT_DATABASE_URL
redis: LOYALTY_REDIS_URL
operator: LOYALTY_OPERATOR_SECRET
{{- end }}

{{/* Environment: (list $ (list "appDatabase" …)). */}}
{{- define "loyalty.secretEnvironment" -}}
{{- $settings := include "loyalty.secretSettings" . | fromYaml -}}
{{- range index . 1 }}
- name: {{ index $settings . }}_FILE
  value: /run/loyalty/{{ . }}
{{- end }}
{{- end }}

{{/* The volume: (list $ (list "appDatabase" …)). */}}
{{- define "loyalty.secretVolume" -}}
{{- $root := index . 0 -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
    {{- range index . 1 }}
    {{- if and (eq . "database") $root.Values.postgres.enabled }}
    - secret:
        name: {{ include "loyalty.fullname" $root }}-postgres-app
        items: [{key: uri, path: {{ . }}}]
    {{- else }}
    - secret:
        name: {{ include "loyalty.secretName" $root }}
        items: [{key: {{ index $root.Values.secrets.keys . }}, path: {{ . }}}]
    {{- end }}
    {{- end }}
{{- end }}
