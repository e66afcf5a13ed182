{{- define "sluice.name" -}}
{{- if contains "sluice" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-sluice" (.Release.Name | trunc 45 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sluice.labels" -}}
{{ include "sluice.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "sluice.account" -}}
{{- .Values.serviceAccount.name | default (ternary (include "sluice.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* The configuration: what belongs to the chart, then config of the values. */}}
{{- define "sluice.config" -}}
{{- $store := ternary "/var/lib/sluice/var/sluice.db" "" .Values.store.enabled -}}
{{- $key := dict "header" .Values.secret.header "value_file" (printf "/run/secrets/sluice/%s" .Values.secret.key) -}}
{{- $http := dict "listen" "0.0.0.0:8080" "trusted_proxies" .Values.trustedProxies -}}
{{- $_ := set $http "drain_delay" (printf "%ds" (int .Values.drainSeconds)) -}}
{{- $base := dict "http" $http -}}
{{- $_ := set $base "admin" (dict "listen" "0.0.0.0:9090") -}}
{{- $_ := set $base "auth" (dict "api_keys" (list $key)) -}}
{{- $_ := set $base "status_map" "eventbridge" -}}
{{- $_ := set $base "registry" (dict "dir" "/etc/sluice/schemas" "cache_dir" "/var/lib/sluice/var/schemas") -}}
{{- $_ := set $base "store" (dict "path" $store) -}}
{{- mergeOverwrite $base (deepCopy .Values.config) | toYaml -}}
{{- end -}}
