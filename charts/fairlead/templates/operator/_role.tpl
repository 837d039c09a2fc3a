{{- /* A role of {kind, name, namespace, rules} and its binding to the operator's account. */}}
{{- define "fairlead.role" -}}
{{- $operator := dict "root" .root "component" "operator" -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "fairlead.labels" $operator | nindent 4 }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "fairlead.labels" $operator | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "fairlead.serviceAccountName" $operator }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
