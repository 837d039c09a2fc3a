{{- define "fairlead.podDisruptionBudget" -}}
{{- $values := index .root.Values .component -}}
{{- with $values.podDisruptionBudget -}}
{{- if and $values.enabled .enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "fairlead.componentName" $ }}
  namespace: {{ $.root.Release.Namespace }}
  labels:
    {{- include "fairlead.labels" $ | nindent 4 }}
spec:
  {{- if include "fairlead.isSet" .minAvailable }}
  minAvailable: {{ .minAvailable }}
  {{- else }}
  maxUnavailable: {{ ternary .maxUnavailable 1 (eq (include "fairlead.isSet" .maxUnavailable) "yes") }}
  {{- end }}
  # A pod that is not ready serves nobody, so it may not hold up the drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "fairlead.selectorLabels" $ | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}

{{- /* isSet: "yes" or nothing, of a number or text. Unlike `if`, 0 counts as set. */}}
{{- define "fairlead.isSet" -}}
{{- if not (has (toString .) (list "" "<nil>")) }}yes{{ end -}}
{{- end }}
