{{/* Whether migrations come before everything else: "yes", or nothing. At an installation that
     makes its own database or secrets, nothing is there yet: a job comes with the rest, and the
     processes wait for it. */}}
{{- define "loyalty.migrationHook" -}}
{{- if or .Release.IsUpgrade (not (include "loyalty.makesItsOwn" .)) -}}yes{{- end }}
{{- end }}
