{{- /* Which namespaces the operator works in, each as a JSON list under the key "in". */}}

{{- /* Where gateways live: it writes ConfigMaps and Secrets and annotates pods only there. */}}
{{- define "fairlead.gatewayNamespaces" -}}
{{- $in := .Values.operator.gatewayNamespaces -}}
{{- if or (empty $in) .Values.gateway.enabled -}}
{{- $in = append $in .Release.Namespace -}}
{{- end -}}
{{- dict "in" ($in | uniq | sortAlpha) | toJson -}}
{{- end }}

{{- /* Where resources are read; empty for the whole cluster. A ModelGateway lives beside its pods, so those are read too. */}}
{{- define "fairlead.watchNamespaces" -}}
{{- $in := list -}}
{{- if eq .Values.operator.scope "Namespaced" -}}
{{- $in = concat .Values.operator.watchNamespaces (include "fairlead.gatewayNamespaces" . | fromJson).in | uniq | sortAlpha -}}
{{- end -}}
{{- dict "in" $in | toJson -}}
{{- end }}

{{- /* Where it makes the Secrets of VirtualKeys; `*` is everywhere that it watches. */}}
{{- define "fairlead.keyNamespaces" -}}
{{- $in := concat .Values.operator.keyNamespaces (include "fairlead.gatewayNamespaces" . | fromJson).in -}}
{{- dict "in" (has "*" $in | ternary (list "*") ($in | uniq | sortAlpha)) | toJson -}}
{{- end }}
