{{- /* What objects are called and how they are labelled. "component" is operator or gateway. */}}

{{- define "fairlead.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- /* 43 leaves room for the longest suffix within the 63 of a label. */ -}}
{{- default $full .Values.fullnameOverride | trunc 43 | trimSuffix "-" -}}
{{- end }}

{{- define "fairlead.componentName" -}}
{{ include "fairlead.fullname" .root }}-{{ .component }}
{{- end }}

{{- define "fairlead.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- $account.name | default (ternary (include "fairlead.componentName" .) "default" $account.create) -}}
{{- end }}

{{- /* Selectors cannot change in place, so these hold nothing that changes with a version. */}}
{{- define "fairlead.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "fairlead.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: fairlead
{{- if .component }}
{{ include "fairlead.selectorLabels" . }}
{{- end }}
{{- with .root.Values.global.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}
