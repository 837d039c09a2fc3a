{{- /* Every right the operator has. The end-to-end tests compare this with the audit log: granted is what is used. */}}

{{- /* In watched namespaces, or in the whole cluster. */}}
{{- define "fairlead.rules.watched" -}}
- apiGroups: [fairlead.dev]
  resources: [modelgateways, modeldeployments, modelroutes, providersecrets, virtualkeys, budgetpolicies]
  verbs: [list, watch]
- apiGroups: [fairlead.dev]
  resources: [modelgateways/status, modeldeployments/status, modelroutes/status, providersecrets/status, virtualkeys/status, budgetpolicies/status]
  verbs: [patch]
# The watch is for metadata, to notice a rotation; only Secrets that a resource names are read.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- /* Only in the whole cluster: ModelGateways may select namespaces by label. */}}
{{- define "fairlead.rules.cluster" -}}
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end }}

{{- /* Where gateways live. Names follow from those of ModelGateways, so they cannot be listed here. */}}
{{- define "fairlead.rules.gateway" -}}
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, update]
- apiGroups: [""]
  resources: [secrets]
  verbs: [create, update]
# The patch is the annotation that makes the kubelet sync the mounted config.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, patch]
{{- end }}

{{- /* Where keys of VirtualKeys are made. A Secret that somebody else made is never patched. */}}
{{- define "fairlead.rules.keys" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [create, patch]
{{- end }}

{{- /* In the operator's own namespace. A name cannot limit "create". */}}
{{- define "fairlead.rules.own" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "fairlead.componentName" . }}]
  verbs: [get, update]
{{- end }}
